// SPDX-License-Identifier: Apache-2.0
#include "engine/live/detached_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <string_view>

#include "berth/try.h"
#include "core/context.h"
#include "engine/prepare_mounts.h"
#include "os/file.h"
#include "os/mount.h"

namespace berth::engine {
namespace {

Result<> check_kind(const plan::MountItem& item) {
  const bool plain = item.kind == plan::MountKind::Bind || item.kind == plan::MountKind::Filesystem;
  constexpr std::string_view kOfNamespaces[] = {"proc", "sysfs", "mqueue", "devpts"};
  if (std::ranges::find(kOfNamespaces, item.fs_type) != std::end(kOfNamespaces))
    return fail(ErrorKind::Unsupported, "filesystem {} would show the host's namespaces",
                item.fs_type);
  if (plain && !item.copy_up && !item.copy_link) return {};
  return fail(ErrorKind::Unsupported,
              "only a new container can have that: remount, tmpcopyup, copy-symlink, a "
              "hierarchy of cgroups");
}

Result<os::UniqueFd> open_bind(const plan::MountItem& item) {
  os::UniqueFd fd(
      os::clone_mount(AT_FDCWD, item.source.c_str(), item.recursive, item.nofollow_source));
  if (!fd && fd.get() == -EPERM)
    return fail(ErrorKind::Unsupported, "live mounts are for who may mount: root of the host");
  if (!fd) return system_error(-fd.get(), "open mount source {}", item.source);
  return fd;
}

Result<> map_ids(const Inside& inside, int mount, const plan::MountIdMap& map) {
  const std::string own = formatted("/proc/{}/ns/user", inside.snapshot.record.pid);
  const os::UniqueFd space = TRY(map.uid_map.empty() ? os::open_at(AT_FDCWD, own.c_str(), O_RDONLY)
                                                     : make_user_namespace(map));
  const int result = os::set_id_map(mount, space.get(), map.recursive);
  return result < 0 ? system_error(-result, "map the ids of the mount (Linux 5.12)") : Result<>();
}

// Without that it belongs to nobody in a container with a user namespace.
std::vector<plan::FilesystemOption> options_of(const Inside& inside, const plan::MountItem& item) {
  std::vector<plan::FilesystemOption> options = item.options;
  const auto add = [&](const char* key, unsigned id) {
    if (id != 0 && std::ranges::find(options, key, &plan::FilesystemOption::key) == options.end())
      options.push_back({.key = key, .value = formatted("{}", id)});
  };
  if (item.fs_type == "tmpfs") {
    add("uid", inside.owner);
    add("gid", inside.group);
  }
  return options;
}

Result<os::UniqueFd> make_filesystem(const Inside& inside, const plan::MountItem& item) {
  const os::UniqueFd filesystem(os::open_filesystem(item.fs_type.c_str()));
  if (!filesystem) return system_error(-filesystem.get(), "open filesystem {}", item.fs_type);
  int result = item.source.empty()
                   ? 0
                   : os::set_filesystem_string(filesystem.get(), "source", item.source.c_str());
  if (result < 0) return system_error(-result, "set the source {}", item.source);
  for (const plan::FilesystemOption& option : options_of(inside, item)) {
    const char* const key = option.key.c_str();
    result = option.value ? os::set_filesystem_string(filesystem.get(), key, option.value->c_str())
                          : os::set_filesystem_flag(filesystem.get(), key);
    if (result < 0) return system_error(-result, "set option {} of {}", option.key, item.fs_type);
  }
  os::UniqueFd fd(os::mount_filesystem(filesystem.get(), item.attr_set));
  if (!fd) return system_error(-fd.get(), "make filesystem {}", item.fs_type);
  return fd;
}

Result<> change(int mount, const plan::MountItem& item) {
  int result = 0;
  if (item.kind == plan::MountKind::Bind && (item.attr_set | item.attr_clear) != 0)
    result = os::set_attributes(mount, item.attr_set, item.attr_clear, false);
  if (result == 0 && (item.recursive_set | item.recursive_clear) != 0)
    result = os::set_attributes(mount, item.recursive_set, item.recursive_clear, true);
  if (result < 0) return system_error(-result, "set the attributes (Linux 5.12)");
  result = os::set_propagation(mount, MS_PRIVATE | MS_REC);
  for (const uint64_t flags : item.propagation) {
    if (result == 0) result = os::set_propagation(mount, flags);
  }
  if (result < 0) return system_error(-result, "set the propagation");
  return {};
}

}  // namespace

Result<DetachedMount> make_detached(const Inside& inside, const plan::MountItem& item) {
  TRY(check_kind(item));
  DetachedMount made;
  made.fd =
      TRY(item.kind == plan::MountKind::Bind ? open_bind(item) : make_filesystem(inside, item));
  if (item.id_map) TRY(map_ids(inside, made.fd.get(), *item.id_map));
  TRY(change(made.fd.get(), item));
  struct statx status;
  if (::statx(made.fd.get(), "", AT_EMPTY_PATH, STATX_TYPE | STATX_MNT_ID, &status) < 0)
    return system_error(errno, "look at the mount");
  made.id = static_cast<int>(status.stx_mnt_id);
  made.device = formatted("{}:{}", status.stx_dev_major, status.stx_dev_minor);
  made.is_directory = S_ISDIR(status.stx_mode);
  return made;
}

}  // namespace berth::engine
