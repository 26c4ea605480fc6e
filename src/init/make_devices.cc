// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init/step.h"
#include "os/device.h"
#include "os/mount.h"

namespace berth::init {
namespace {

constexpr char kDev[] = "/dev/";
constexpr size_t kDevLength = sizeof kDev - 1;

bool in_dev(const std::string& path) { return path.starts_with(kDev); }

bool is_same_device(int directory, const char* name, const plan::DeviceItem& device) {
  struct stat status;
  if (::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) < 0) return false;
  if ((status.st_mode & S_IFMT) != (device.mode & S_IFMT)) return false;
  return S_ISFIFO(device.mode) || status.st_rdev == os::device_number(device.major, device.minor);
}

int make_node(int directory, const char* name, const plan::DeviceItem& device) {
  if (::mknodat(directory, name, device.mode, os::device_number(device.major, device.minor)) < 0) {
    if (errno != EEXIST) return -errno;
    return is_same_device(directory, name, device) ? 0 : -EEXIST;
  }
  if (device.uid == 0 && device.gid == 0) return 0;
  return ::fchownat(directory, name, device.uid, device.gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

// What is bound must be what was asked for, whatever the host has at that path.
bool is_device(int file, const plan::DeviceItem& device) {
  struct stat status;
  return ::fstat(file, &status) == 0 && (status.st_mode & S_IFMT) == (device.mode & S_IFMT) &&
         status.st_rdev == os::device_number(device.major, device.minor);
}

// In a user namespace nodes can not be made: the host's are bound over empty files.
int bind_node(int directory, const char* name, const plan::DeviceItem& device) {
  const ChildFd source(os::clone_mount(AT_FDCWD, device.path.c_str(), false));
  if (!source) return source.get();
  if (!is_device(source.get(), device)) return -ENODEV;
  const os::UniqueFd file(
      ::openat(directory, name, O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_WRONLY | O_NONBLOCK, 0644));
  if (!file && errno != EEXIST && errno != ENXIO) return -errno;
  const ChildFd target(::openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC));
  return target ? os::attach_mount(source.get(), target.get()) : -errno;
}

// base: a directory that path is relative to (our own /dev, or the root).
int make_device(int base, const char* path, const plan::DeviceItem& device, bool bind) {
  const char* name = strrchr(path, '/');
  ChildFd parent;
  if (name != nullptr) {
    parent.reset(os::RootDir(base).make_parent(path, &name));
    if (!parent) return parent.get();
  } else {
    name = path;
  }
  const int directory = parent ? parent.get() : base;
  const bool bound = bind && !S_ISFIFO(device.mode);  // a pipe anybody may make
  return bound ? bind_node(directory, name, device) : make_node(directory, name, device);
}

int make_links(const std::vector<plan::LinkItem>& links, int directory) {
  for (const plan::LinkItem& link : links) {
    if (::symlinkat(link.target.c_str(), directory, link.path.c_str() + kDevLength) < 0 &&
        errno != EEXIST)
      return -errno;
  }
  return 0;
}

}  // namespace

bool has_own_dev(const plan::InitPlan& plan) {
  for (const plan::MountItem& mount : plan.mounts) {
    if (mount.is_dev) return true;
  }
  return false;
}

// A link of the image's stays in the image: behind a mount of the config is what is not its own.
int open_dev(int root, bool crossing) {
  constexpr uint64_t kFlags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  const int dev = os::open_resolved(root, "dev", kFlags, RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS);
  if (dev != -ELOOP) return dev;
  return os::open_resolved(root, "dev", kFlags,
                           RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS |
                               (crossing ? uint64_t{0} : uint64_t{RESOLVE_NO_XDEV}));
}

int make_default_devices(InitContext& init, int directory, bool own, int* failed) {
  const bool bind = init.plan.bind_devices && !own;
  for (size_t index = 0; index < init.plan.devices.size(); ++index) {
    const plan::DeviceItem& device = init.plan.devices[index];
    if (!in_dev(device.path)) continue;
    const int result = make_device(directory, device.path.c_str() + kDevLength, device, bind);
    *failed = static_cast<int>(index);
    if (result < 0) return result;
  }
  *failed = -1;
  return make_links(init.plan.links, directory);
}

StepResult make_devices(InitContext& init) {
  if (!init.plan.make_devices) return {};
  const bool own = has_own_dev(init.plan);
  if (!own || init.plan.bind_devices) {
    if (::mkdirat(init.root, "dev", 0755) < 0 && errno != EEXIST)
      return failure(Step::MakeDevices, errno, -1, Action::NotADirectory);
    const ChildFd dev(open_dev(init.root, own));
    if (!dev) return failure(Step::MakeDevices, dev.get(), -1, Action::NotADirectory);
    int failed = -1;
    const int result = make_default_devices(init, dev.get(), false, &failed);
    if (result < 0) return failure(Step::MakeDevices, result, failed, Action::MakeNode);
  }
  for (size_t index = 0; index < init.plan.devices.size(); ++index) {
    const plan::DeviceItem& device = init.plan.devices[index];
    if (in_dev(device.path)) continue;
    const int result = make_device(init.root, device.path.c_str(), device, init.plan.bind_devices);
    if (result < 0)
      return failure(Step::MakeDevices, result, static_cast<int>(index), Action::MakeNode);
  }
  return {};
}

}  // namespace berth::init
