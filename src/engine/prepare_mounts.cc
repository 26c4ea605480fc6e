// SPDX-License-Identifier: Apache-2.0
#include "engine/prepare_mounts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/prepare.h"
#include "os/file.h"
#include "os/mount.h"
#include "os/process.h"

namespace berth::engine {
namespace {

Result<os::UniqueFd> write_maps(pid_t process, const plan::MountIdMap& map) {
  const std::string path = formatted("/proc/{}", process);
  const os::UniqueFd directory = TRY(os::open_at(AT_FDCWD, path.c_str(), O_PATH | O_DIRECTORY));
  TRY(os::write_file_at(directory.get(), "uid_map", map.uid_map));
  TRY(os::write_file_at(directory.get(), "gid_map", map.gid_map));
  return os::open_at(directory.get(), "ns/user", O_RDONLY);
}

}  // namespace

// The kernel takes a map only as a user namespace, and makes one only with a process in it. The
// process ends with us, whatever happens: nobody writes to the pipe.
Result<os::UniqueFd> make_user_namespace(const plan::MountIdMap& map) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "make a pipe");
  const os::UniqueFd waiting(ends[0]);
  const os::UniqueFd held(ends[1]);
  int pidfd = -1;
  const pid_t pid = os::clone_child({.flags = CLONE_NEWUSER}, &pidfd);
  if (pid == 0) {
    ::close(ends[1]);
    char byte;
    while (::read(ends[0], &byte, 1) < 0 && errno == EINTR) {
    }
    ::_exit(0);
  }
  if (pid < 0) return system_error(-pid, "make a user namespace");
  const os::ChildProcess child(pid, os::UniqueFd(pidfd));
  return write_maps(pid, map);
}

namespace {

const plan::JoinedNamespace* joined_user_namespace(const plan::NamespacePlan& plan) {
  for (const auto* list : {&plan.enter_first, &plan.join}) {
    for (const plan::JoinedNamespace& joined : *list) {
      if (joined.type == spec::NamespaceType::User) return &joined;
    }
  }
  return nullptr;
}

Result<os::UniqueFd> open_map(const plan::NamespacePlan& namespaces, const plan::MountIdMap& map) {
  if (!map.uid_map.empty()) return make_user_namespace(map);
  const plan::JoinedNamespace* joined = joined_user_namespace(namespaces);
  if (joined == nullptr) return fail(ErrorKind::Internal, "there is no user namespace to map by");
  return open_namespace(*joined);
}

// Most containers have one map for all their mounts.
int earlier_map(const Creation& creation, size_t index) {
  const auto& mounts = creation.plan.init.mounts;
  const plan::MountIdMap& wanted = *mounts[index].id_map;
  for (size_t i = 0; i < index; ++i) {
    const auto& map = mounts[i].id_map;
    if (map && map->uid_map == wanted.uid_map && map->gid_map == wanted.gid_map)
      return creation.prepared.id_maps[i];
  }
  return -1;
}

Result<> prepare_id_maps(Creation& creation) {
  const auto& mounts = creation.plan.init.mounts;
  std::vector<int>& maps = creation.prepared.id_maps;
  maps.assign(mounts.size(), -1);
  for (size_t index = 0; index < mounts.size(); ++index) {
    const plan::MountItem& mount = mounts[index];
    if (!mount.id_map) continue;
    maps[index] = earlier_map(creation, index);
    if (maps[index] >= 0) continue;
    Result<os::UniqueFd> map = open_map(creation.plan.host.namespaces, *mount.id_map);
    if (!map && mount.optional) continue;
    creation.descriptors.push_back(
        TRY(std::move(map) | context("map the ids of mount {}", mount.target) | at(mount.pointer)));
    maps[index] = creation.descriptors.back().get();
  }
  return {};
}

// In a user namespace the container's root may not reach a source that the host's root can: the
// host opens it. A filesystem of the host is id-mapped by the host's root only.
Result<os::UniqueFd> open_source(const plan::MountItem& mount, int id_map) {
  os::UniqueFd fd(
      os::clone_mount(AT_FDCWD, mount.source.c_str(), mount.recursive, mount.nofollow_source));
  if (!fd) return system_error(-fd.get(), "open mount source {}", mount.source);
  if (!mount.id_map) return fd;
  const int result = os::set_id_map(fd.get(), id_map, mount.id_map->recursive);
  if (result < 0) {
    return system_error(-result,
                        "map the ids of the mount of {} (its filesystem must allow it, and not be "
                        "mapped already)",
                        mount.source);
  }
  return fd;
}

// Empty: it is no link.
std::string link_of(const std::string& path) {
  char target[PATH_MAX];
  const ssize_t size = ::readlink(path.c_str(), target, sizeof target);
  return size < 0 ? std::string() : std::string(target, static_cast<size_t>(size));
}

}  // namespace

Result<> prepare_mounts(Creation& creation) {
  TRY(prepare_id_maps(creation));
  const auto& mounts = creation.plan.init.mounts;
  creation.prepared.mount_sources.assign(mounts.size(), -1);
  creation.prepared.links.resize(mounts.size());
  creation.prepared.late_mounts.assign(mounts.size(), -1);
  for (size_t index = 0; index < mounts.size(); ++index) {
    const plan::MountItem& mount = mounts[index];
    if (!mount.source_first) continue;
    if (mount.copy_link) creation.prepared.links[index] = link_of(mount.source);
    if (!creation.prepared.links[index].empty()) continue;
    Result<os::UniqueFd> fd = open_source(mount, creation.prepared.id_maps[index]);
    if (!fd && mount.optional) continue;
    if (!fd) return Result<>(std::unexpected(std::move(fd.error()))) | at(mount.pointer);
    creation.prepared.mount_sources[index] = fd->get();
    creation.descriptors.push_back(std::move(*fd));
  }
  return {};
}

}  // namespace berth::engine
