// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/mount_item.h"
#include "os/mount.h"

namespace berth::init {
namespace {

// "cpu,cpuacct" or "none,name=systemd", word by word.
int configure_hierarchy(int filesystem, const std::string& options) {
  char word[256];
  size_t start = 0;
  while (start < options.size()) {
    size_t end = options.find(',', start);
    if (end == std::string::npos) end = options.size();
    if (end - start >= sizeof word) return -ENAMETOOLONG;
    memcpy(word, options.data() + start, end - start);
    word[end - start] = '\0';
    char* value = strchr(word, '=');
    if (value != nullptr) *value++ = '\0';
    const int result = value != nullptr ? os::set_filesystem_string(filesystem, word, value)
                                        : os::set_filesystem_flag(filesystem, word);
    if (result < 0) return result;
    start = end + 1;
  }
  return 0;
}

int new_cgroup_mount(const char* type, const std::string& options, uint64_t attributes) {
  const ChildFd filesystem(os::open_filesystem(type));
  if (!filesystem) return filesystem.get();
  const int result = configure_hierarchy(filesystem.get(), options);
  return result < 0 ? result : os::mount_filesystem(filesystem.get(), attributes);
}

// Nothing but a new mount of what the host has mounted too: one call, and only one superblock,
// whose flags are the host's.
bool mounted_at_once(const MountContext& mount, int directory,
                     const plan::CgroupMountEntry& entry) {
  if (!mount.item.cgroup_namespace || entry.options.empty()) return false;
  if (mount.init.working != directory && ::fchdir(directory) < 0) return false;
  mount.init.working = directory;
  return os::mount_here("cgroup", entry.name.c_str(), "cgroup", mount.item.attr_set,
                        entry.options.c_str()) == 0;
}

int clone_cgroup(const plan::CgroupMountEntry& entry) {
  const int own = os::clone_mount(AT_FDCWD, entry.source.c_str(), false);
  if (own != -ENOENT || entry.source_instead.empty()) return own;
  return os::clone_mount(AT_FDCWD, entry.source_instead.c_str(), false);
}

StepResult mount_hierarchy(const MountContext& mount, int directory,
                           const plan::CgroupMountEntry& entry) {
  if (mounted_at_once(mount, directory, entry)) return {};
  const ChildFd target(
      ::openat(directory, entry.name.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!target) return mount.failed(Action::MakeTarget, errno);
  ChildFd fd;
  if (mount.item.cgroup_namespace) {
    const char* type = entry.options.empty() ? "cgroup2" : "cgroup";
    fd.reset(new_cgroup_mount(type, entry.options, mount.item.attr_set));
  }
  const bool bound = !fd;
  if (bound) fd.reset(clone_cgroup(entry));
  if (!fd) return mount.failed(Action::OpenFilesystem, fd.get());
  const int attached = os::attach_mount(fd.get(), target.get());
  if (attached < 0) return mount.failed(Action::Attach, attached);
  return bound ? change_attached(mount, fd.get()) : StepResult();
}

StepResult add_hierarchy(const MountContext& mount, int directory,
                         const plan::CgroupMountEntry& entry) {
  if (::mkdirat(directory, entry.name.c_str(), 0755) < 0)
    return mount.failed(Action::MakeTarget, errno);
  TRY(mount_hierarchy(mount, directory, entry));
  for (const std::string& link : entry.links) {
    if (::symlinkat(entry.name.c_str(), directory, link.c_str()) < 0 && errno != EEXIST) {
      return mount.failed(Action::MakeLink, errno);
    }
  }
  return {};
}

}  // namespace

StepResult mount_cgroup_v1(const MountContext& mount) {
  const ChildFd filesystem(os::open_filesystem("tmpfs"));
  if (!filesystem) return mount.failed(Action::OpenFilesystem, filesystem.get());
  const int mode = os::set_filesystem_string(filesystem.get(), "mode", "755");
  if (mode < 0) return mount.failed(Action::SetOption, mode);
  const uint64_t attributes = mount.item.attr_set & ~static_cast<uint64_t>(MOUNT_ATTR_RDONLY);
  const ChildFd tmpfs(os::mount_filesystem(filesystem.get(), attributes));
  if (!tmpfs) return mount.failed(Action::OpenFilesystem, tmpfs.get());
  const ChildFd target(os::RootDir(mount.init.root).make_directory(mount.item.target.c_str()));
  if (!target) return mount.failed(Action::MakeTarget, target.get());
  TRY(attach(mount, tmpfs.get(), target.get()));
  for (const plan::CgroupMountEntry& entry : mount.item.cgroups)
    TRY(add_hierarchy(mount, tmpfs.get(), entry));
  TRY(set_propagations(mount, tmpfs.get()));
  if ((mount.item.attr_set & MOUNT_ATTR_RDONLY) == 0) return {};
  return change_attached(mount, tmpfs.get());
}

StepResult mount_cgroup_v2(const MountContext& mount) {
  ChildFd fd;
  // Outside a cgroup namespace a new mount would show the whole tree, and costs an RCU grace
  // period: bound instead.
  if (mount.item.cgroup_namespace) {
    const ChildFd filesystem(os::open_filesystem("cgroup2"));
    if (filesystem) {
      for (const plan::FilesystemOption& option : mount.item.options) {
        const int result = option.value
                               ? os::set_filesystem_string(filesystem.get(), option.key.c_str(),
                                                           option.value->c_str())
                               : os::set_filesystem_flag(filesystem.get(), option.key.c_str());
        if (result < 0) return mount.failed(Action::SetOption, result);
      }
      fd.reset(os::mount_filesystem(filesystem.get(), mount.item.attr_set));
    }
  }
  const bool bound = !fd;
  if (bound && !mount.item.cgroups.empty()) fd.reset(clone_cgroup(mount.item.cgroups.front()));
  if (!fd) return mount.failed(Action::OpenFilesystem, fd.get());
  const ChildFd target(os::RootDir(mount.init.root).make_directory(mount.item.target.c_str()));
  if (!target) return mount.failed(Action::MakeTarget, target.get());
  TRY(attach(mount, fd.get(), target.get()));
  if (bound) TRY(change_attached(mount, fd.get()));
  return set_propagations(mount, fd.get());
}

}  // namespace berth::init
