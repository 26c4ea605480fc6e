// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "init/copy_up.h"
#include "init/mount_item.h"
#include "init/step.h"
#include "os/mount.h"

namespace berth::init {
namespace {

int existing_target(const MountContext& mount) {
  const os::RootDir root(mount.init.root);
  const char* path = mount.item.target.c_str();
  return mount.item.nofollow_target ? root.open_nofollow(path) : root.open(path);
}

int target_of(const MountContext& mount, bool directory) {
  const os::RootDir root(mount.init.root);
  if (mount.item.nofollow_target) {
    const int fd = existing_target(mount);
    if (fd != -ENOENT) return fd;
  }
  return directory ? root.make_directory(mount.item.target.c_str())
                   : root.make_file(mount.item.target.c_str());
}

// /proc and /sys that the image made links would carry the mount elsewhere: what masks and labels
// rely on must be real.
bool is_trap(const plan::MountItem& item) {
  return (item.fs_type == "proc" || item.fs_type == "sysfs") &&
         item.kind == plan::MountKind::Filesystem;
}

long magic_of(const std::string& type) {
  constexpr long kMqueue = 0x19800202;  // in no header
  if (type == "sysfs") return SYSFS_MAGIC;
  return type == "proc" ? PROC_SUPER_MAGIC : kMqueue;
}

bool is_in_proc(const std::string& target) {
  return target == "/proc" || target.starts_with("/proc/");
}

bool has_option(const plan::MountItem& item, const char* key) {
  for (const plan::FilesystemOption& option : item.options) {
    if (option.key == key) return true;
  }
  return false;
}

StepResult set_options(const MountContext& mount, int filesystem) {
  for (size_t index = 0; index < mount.item.options.size(); ++index) {
    const plan::FilesystemOption& option = mount.item.options[index];
    const int result = option.value ? os::set_filesystem_string(filesystem, option.key.c_str(),
                                                                option.value->c_str())
                                    : os::set_filesystem_flag(filesystem, option.key.c_str());
    if (result < 0) return mount.failed(Action::SetOption, result, static_cast<int>(index));
  }
  return {};
}

StepResult configure(const MountContext& mount, int filesystem) {
  if (!mount.item.source.empty()) {
    const int result = os::set_filesystem_string(filesystem, "source", mount.item.source.c_str());
    if (result < 0) return mount.failed(Action::SetOption, result);
  }
  return set_options(mount, filesystem);
}

// /dev/pts and the like, which later mounts of the plan want: cheaper now than by looking for them.
// What fails here is made (or fails) there.
void make_mount_points(const MountContext& mount, int dev) {
  const std::string& base = mount.item.target;
  for (const plan::MountItem& later : mount.init.plan.mounts) {
    const bool below = later.target.size() > base.size() + 1 && later.target[base.size()] == '/' &&
                       later.target.starts_with(base);
    if (!below || later.kind == plan::MountKind::Bind) continue;
    const char* name = later.target.c_str() + base.size() + 1;
    if (strchr(name, '/') == nullptr) (void)::mkdirat(dev, name, 0755);
  }
}

StepResult populate_dev(const MountContext& mount, int fd) {
  if (!mount.item.is_dev || !mount.init.plan.make_devices || mount.init.plan.bind_devices)
    return {};
  int failed = -1;
  const int result = make_default_devices(mount.init, fd, true, &failed);
  if (result < 0) return failure(Step::MakeDevices, result, failed, Action::MakeNode);
  make_mount_points(mount, fd);
  return {};
}

// What is looked at is what is mounted on.
StepResult open_real_directory(const MountContext& mount, ChildFd* target) {
  constexpr int kDirectory = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  target->reset(os::RootDir(mount.init.root).open(mount.item.target.c_str(), kDirectory));
  if (target->get() == -ENOTDIR || target->get() == -ELOOP)
    return mount.failed(Action::NotADirectory, ENOTDIR);
  return {};
}

// The name of what is mounted straight below our own /dev, where the mount point was made with the
// device nodes and nothing can be in the way: no path needs to be resolved. Else nullptr.
const char* name_in_own_dev(const MountContext& mount) {
  const plan::MountItem& item = mount.item;
  constexpr size_t kPrefix = sizeof "/dev/" - 1;
  if (mount.init.dev < 0 || item.copy_up || !item.target.starts_with("/dev/")) return nullptr;
  const char* name = item.target.c_str() + kPrefix;
  const bool takes_mode = item.fs_type == "tmpfs" && !has_option(item, "mode");
  return strchr(name, '/') != nullptr || takes_mode ? nullptr : name;
}

bool attached_in_own_dev(const MountContext& mount, int fd) {
  const char* name = name_in_own_dev(mount);
  return name != nullptr && os::attach_mount_at(fd, mount.init.dev, name) == 0;
}

// What config.json says itself was looked at before; here a link of the image led to it.
bool covers_proc(const MountContext& mount, int target) {
  struct statfs filesystem;
  return !is_in_proc(mount.item.target) && ::fstatfs(target, &filesystem) == 0 &&
         filesystem.f_type == PROC_SUPER_MAGIC;
}

// True when one mount(2) did all of it. Else nothing has happened yet, and the way by descriptors
// makes what is missing and says what is wrong.
bool mounted_at_once(const MountContext& mount) {
  const plan::MountItem& item = mount.item;
  if (!item.at_once) return false;
  const char* in_dev = name_in_own_dev(mount);
  int place = mount.init.dev;
  if (in_dev == nullptr) {
    constexpr int kReal = O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    place = os::RootDir(mount.init.root)
                .open(item.target.c_str(), is_trap(item) ? kReal : kReal & ~O_NOFOLLOW);
    if (place < 0 || covers_proc(mount, place)) return false;
  }
  if (mount.init.working != place && ::fchdir(place) < 0) return false;
  mount.init.working = place;
  const char* source = item.source.empty() ? nullptr : item.source.c_str();
  return os::mount_here(source, in_dev == nullptr ? "." : in_dev, item.fs_type.c_str(),
                        item.attr_set, item.at_once->c_str()) == 0;
}

// What a new filesystem takes from the directory it covers: all with tmpcopyup, and without "mode"
// a tmpfs has its mode.
StepResult take_over(const MountContext& mount, int fd, int covered) {
  const plan::MountItem& item = mount.item;
  struct stat status;
  if (::fstat(covered, &status) < 0) return mount.failed(Action::CopyUp, errno);
  if (item.copy_up && S_ISDIR(status.st_mode)) {
    const int result = copy_up(covered, fd,
                               {.mode = has_option(item, "mode"),
                                .uid = has_option(item, "uid"),
                                .gid = has_option(item, "gid")});
    if (result < 0) return mount.failed(Action::CopyUp, result);
  } else if (item.fs_type == "tmpfs" && !has_option(item, "mode") &&
             ::fchmodat(fd, ".", status.st_mode & 07777, 0) < 0) {
    return mount.failed(Action::SetAttributes, errno);
  }
  return {};
}

// A descriptor of the new mount, which is attached nowhere yet.
StepValue<int> make_filesystem(const MountContext& mount) {
  const plan::MountItem& item = mount.item;
  const ChildFd filesystem(os::open_filesystem(item.fs_type.c_str()));
  if (!filesystem) return mount.failed(Action::OpenFilesystem, filesystem.get());
  TRY(configure(mount, filesystem.get()));
  const uint64_t attributes = item.readonly_late
                                  ? item.attr_set & ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY)
                                  : item.attr_set;
  const int made = os::mount_filesystem(filesystem.get(), attributes);
  if (made < 0) return mount.failed(Action::OpenFilesystem, made);
  mount.close_of_many(filesystem.get());
  return made;
}

// Linux before 6.8.
bool refused_layers(const MountContext& mount, const Failure& failure) {
  return failure.os_error == EINVAL && has_option(mount.item, "lowerdir+");
}

StepResult mount_layers_there(const MountContext& mount, const Failure& refused) {
  const ChildFd target(target_of(mount, true));
  if (!target) return mount.failed(Action::MakeTarget, target.get());
  if (covers_proc(mount, target.get())) return mount.failed(Action::CoverProc, EPERM);
  return mount_layers(mount, target.get(), refused);
}

// What the host has mounted, if it is of that type, and all below it. A sysfs stays read-only: it
// is not the container's network alone that could be changed there.
StepValue<int> bind_instead(const MountContext& mount) {
  const plan::MountItem& item = mount.item;
  const ChildFd fd(os::clone_mount(AT_FDCWD, item.instead.c_str(), true));
  struct statfs filesystem;
  const bool same =
      fd && ::fstatfs(fd.get(), &filesystem) == 0 && filesystem.f_type == magic_of(item.fs_type);
  if (!same) return mount.failed(Action::OpenFilesystem, EPERM, 1);
  constexpr uint64_t kFlags =
      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
  const uint64_t readonly = item.fs_type == "sysfs" ? MOUNT_ATTR_RDONLY : 0;
  const int result = os::set_attributes(fd.get(), (item.attr_set & kFlags) | readonly, 0, true);
  if (result < 0) return mount.failed(Action::SetAttributes, result);
  return fd.get();
}

StepValue<int> make_or_bind(const MountContext& mount) {
  const StepValue<int> made = make_filesystem(mount);
  if (made || mount.item.instead.empty() || made.error().os_error != EPERM) return made;
  return bind_instead(mount);
}

StepResult mount_new_filesystem(const MountContext& mount) {
  const plan::MountItem& item = mount.item;
  if (mounted_at_once(mount)) return {};
  const StepValue<int> made = make_or_bind(mount);
  if (!made && refused_layers(mount, made.error())) return mount_layers_there(mount, made.error());
  const ChildFd fd(TRY(made));
  if (item.readonly_late) mount.init.prepared.late_mounts[mount.index] = fd.get();
  if (attached_in_own_dev(mount, fd.get())) return set_propagations(mount, fd.get());
  ChildFd target;
  if (is_trap(item)) {
    TRY(open_real_directory(mount, &target));
  } else if (item.copy_up || item.fs_type == "tmpfs") {
    target.reset(existing_target(mount));
    if (target) TRY(take_over(mount, fd.get(), target.get()));
  }
  if (!target) target.reset(target_of(mount, true));
  if (!target) return mount.failed(Action::MakeTarget, target.get());
  TRY(populate_dev(mount, fd.get()));
  TRY(attach(mount, fd.get(), target.get()));
  if (item.target == "/dev") mount.init.dev = item.is_dev ? fd.get() : -1;
  TRY(set_propagations(mount, fd.get()));
  const bool needed = item.readonly_late || mount.init.dev == fd.get();
  mount.close_of_many(target.get(), needed ? -1 : fd.get());
  return {};
}

StepResult apply_attributes(const MountContext& mount, int fd, bool* late) {
  const plan::MountItem& item = mount.item;
  if (item.attr_set != 0 || item.attr_clear != 0) {
    const int result = os::set_attributes(fd, item.attr_set, item.attr_clear, false);
    *late = result == -ENOSYS;
    if (result < 0 && !*late) return mount.failed(Action::SetAttributes, result);
  }
  if (item.recursive_set != 0 || item.recursive_clear != 0) {
    const int result = os::set_attributes(fd, item.recursive_set, item.recursive_clear, true);
    if (result < 0) return mount.failed(Action::SetAttributes, result);
  }
  return {};
}

StepResult open_source(const MountContext& mount, ChildFd* fd) {
  const plan::MountItem& item = mount.item;
  fd->reset(os::clone_mount(AT_FDCWD, item.source.c_str(), item.recursive, item.nofollow_source));
  if (!*fd) return mount.failed(Action::OpenSource, fd->get());
  if (!item.id_map) return {};
  const int result =
      os::set_id_map(fd->get(), mount.init.prepared.id_maps[mount.index], item.id_map->recursive);
  return result < 0 ? StepResult(mount.failed(Action::MapMountIds, result)) : StepResult();
}

// True when the source is a link, and now is one in the container.
StepValue<bool> copy_link(const MountContext& mount) {
  const std::string& told = mount.init.prepared.links[mount.index];
  char read[PATH_MAX];
  const char* link = told.c_str();
  if (told.empty()) {
    const ssize_t size =
        mount.item.source_first ? 0 : ::readlink(mount.item.source.c_str(), read, sizeof read - 1);
    if (size <= 0) return false;
    read[size] = '\0';
    link = read;
  }
  const char* name = nullptr;
  const ChildFd parent(os::RootDir(mount.init.root).make_parent(mount.item.target.c_str(), &name));
  if (!parent) return mount.failed(Action::MakeTarget, parent.get());
  if (::symlinkat(link, parent.get(), name) == 0) return true;
  if (errno != EEXIST) return mount.failed(Action::MakeLink, errno);
  char there[PATH_MAX];
  const ssize_t size = ::readlinkat(parent.get(), name, there, sizeof there);
  const bool same = size >= 0 && static_cast<size_t>(size) == strlen(link) &&
                    memcmp(there, link, static_cast<size_t>(size)) == 0;
  return same ? StepValue<bool>(true) : mount.failed(Action::MakeLink, EEXIST);
}

StepResult mount_bind(const MountContext& mount) {
  const plan::MountItem& item = mount.item;
  if (item.copy_link && TRY(copy_link(mount))) return {};
  ChildFd fd(mount.init.prepared.mount_sources[mount.index]);
  mount.init.prepared.mount_sources[mount.index] = -1;
  if (!fd) TRY(open_source(mount, &fd));
  struct stat status;
  if (::fstat(fd.get(), &status) < 0) return mount.failed(Action::OpenSource, errno);
  bool late = false;
  TRY(apply_attributes(mount, fd.get(), &late));
  if (item.target == "/dev") mount.init.dev = -1;
  const ChildFd target(target_of(mount, S_ISDIR(status.st_mode)));
  if (!target) return mount.failed(Action::MakeTarget, target.get());
  TRY(attach(mount, fd.get(), target.get()));
  if (late) TRY(change_attached(mount, fd.get()));
  TRY(set_propagations(mount, fd.get()));
  mount.close_of_many(fd.get(), target.get());
  return {};
}

// The filesystem's own options, for every mount of it.
StepResult reconfigure(const MountContext& mount, int target) {
  if (mount.item.options.empty()) return {};
  const ChildFd filesystem(os::pick_filesystem(target));
  if (!filesystem) return mount.failed(Action::Reconfigure, filesystem.get());
  TRY(set_options(mount, filesystem.get()));
  const int result = os::reconfigure_filesystem(filesystem.get());
  return result < 0 ? StepResult(mount.failed(Action::Reconfigure, result)) : StepResult();
}

StepResult remount(const MountContext& mount) {
  const ChildFd target(os::RootDir(mount.init.root).open(mount.item.target.c_str()));
  if (!target) return mount.failed(Action::MakeTarget, target.get());
  TRY(reconfigure(mount, target.get()));
  bool late = false;
  TRY(apply_attributes(mount, target.get(), &late));
  if (late) TRY(change_attached(mount, target.get()));
  return set_propagations(mount, target.get());
}

StepResult mount_one(const MountContext& mount) {
  switch (mount.item.kind) {
    case plan::MountKind::Filesystem: return mount_new_filesystem(mount);
    case plan::MountKind::Bind: return mount_bind(mount);
    case plan::MountKind::Remount: return remount(mount);
    case plan::MountKind::CgroupV1: return mount_cgroup_v1(mount);
    case plan::MountKind::CgroupV2: return mount_cgroup_v2(mount);
  }
  return {};
}

}  // namespace

StepResult set_propagations(const MountContext& mount, int fd) {
  for (const uint64_t flags : mount.item.propagation) {
    const int result = os::set_propagation(fd, flags);
    if (result < 0) return mount.failed(Action::SetPropagation, result);
  }
  return {};
}

StepResult change_attached(const MountContext& mount, int fd) {
  mount.init.working = -1;
  const int result = os::set_attached_attributes(fd, mount.item.attr_set, mount.item.attr_clear);
  return result < 0 ? StepResult(mount.failed(Action::SetAttributes, result)) : StepResult();
}

StepResult attach(const MountContext& mount, int fd, int target) {
  if (covers_proc(mount, target)) return mount.failed(Action::CoverProc, EPERM);
  const int result = os::attach_mount(fd, target);
  if (result >= 0) return {};
  struct stat mounted;
  struct stat covered;
  const bool differ = result == -EINVAL && ::fstat(fd, &mounted) == 0 &&
                      ::fstat(target, &covered) == 0 &&
                      S_ISDIR(mounted.st_mode) != S_ISDIR(covered.st_mode);
  if (!differ) return mount.failed(Action::Attach, result);
  return mount.failed(Action::MismatchedTarget, ENOTDIR, S_ISDIR(mounted.st_mode) ? 1 : 0);
}

StepResult mount_filesystems(InitContext& init) {
  for (size_t index = 0; index < init.plan.mounts.size(); ++index) {
    const plan::MountItem& item = init.plan.mounts[index];
    if (item.needs_network) TRY(join_network(init));
    const StepResult result = mount_one({.init = init, .item = item, .index = index});
    if (!result && !item.optional) return result;
  }
  return {};
}

}  // namespace berth::init
