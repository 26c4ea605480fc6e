// SPDX-License-Identifier: Apache-2.0
#include "os/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

namespace berth::os {
namespace {

int checked(long result) { return result < 0 ? -errno : static_cast<int>(result); }

constexpr long kOpenTreeAttr = 467;  // of all architectures; newer than Debian 12's headers

// "/proc/self/fd/N"
struct FdPath {
  explicit FdPath(int fd) {
    memcpy(text, "/proc/self/fd/", 14);
    *std::to_chars(text + 14, text + sizeof text - 1, fd).ptr = '\0';
  }
  char text[32];
};

// statfs(2) shows these by the bits of mount(2).
struct FlagPair {
  uint64_t attribute;
  unsigned long flag;
};
constexpr FlagPair kOldFlags[] = {
    {MOUNT_ATTR_RDONLY, MS_RDONLY},         {MOUNT_ATTR_NOSUID, MS_NOSUID},
    {MOUNT_ATTR_NODEV, MS_NODEV},           {MOUNT_ATTR_NOEXEC, MS_NOEXEC},
    {MOUNT_ATTR_NODIRATIME, MS_NODIRATIME},
};

// Always said: without a word the kernel keeps the old one, or takes relatime beside nodiratime.
unsigned long atime_flag(unsigned long shown, uint64_t set, uint64_t clear) {
  if (((set | clear) & MOUNT_ATTR__ATIME) != 0) {
    if ((set & MOUNT_ATTR_NOATIME) != 0) return MS_NOATIME;
    return (set & MOUNT_ATTR_STRICTATIME) != 0 ? MS_STRICTATIME : MS_RELATIME;
  }
  if ((shown & ST_NOATIME) != 0) return MS_NOATIME;
  return (shown & ST_RELATIME) != 0 ? MS_RELATIME : MS_STRICTATIME;
}

// mount(2) takes paths: the mount is gone to, or is a file and named through its descriptor.
int change_by_path(int mount, unsigned long flags) {
  if (::fchdir(mount) == 0) return checked(::mount(nullptr, ".", nullptr, flags, nullptr));
  if (errno != ENOTDIR) return -errno;
  return checked(::mount(nullptr, FdPath(mount).text, nullptr, flags, nullptr));
}

}  // namespace

int open_filesystem(const char* type) { return checked(::fsopen(type, FSOPEN_CLOEXEC)); }

int set_filesystem_flag(int filesystem, const char* key) {
  return checked(::fsconfig(filesystem, FSCONFIG_SET_FLAG, key, nullptr, 0));
}

int set_filesystem_string(int filesystem, const char* key, const char* value) {
  return checked(::fsconfig(filesystem, FSCONFIG_SET_STRING, key, value, 0));
}

int mount_filesystem(int filesystem, uint64_t attributes) {
  if (::fsconfig(filesystem, FSCONFIG_CMD_CREATE, nullptr, nullptr, 0) < 0) return -errno;
  return checked(::fsmount(filesystem, FSMOUNT_CLOEXEC, static_cast<unsigned>(attributes)));
}

int make_filesystem_readonly(int filesystem) {
  const int result = set_filesystem_flag(filesystem, "ro");
  return result < 0 ? result : reconfigure_filesystem(filesystem);
}

int pick_filesystem(int mount) {
  return checked(::fspick(mount, "", FSPICK_CLOEXEC | FSPICK_EMPTY_PATH));
}

int reconfigure_filesystem(int filesystem) {
  return checked(::fsconfig(filesystem, FSCONFIG_CMD_RECONFIGURE, nullptr, nullptr, 0));
}

int clone_mount(int directory, const char* path, bool recursive, bool nofollow) {
  unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH;
  if (recursive) flags |= AT_RECURSIVE;
  if (nofollow) flags |= AT_SYMLINK_NOFOLLOW;
  return checked(::open_tree(directory, path, flags));
}

int clone_readonly(int directory, const char* path) {
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  constexpr unsigned kFlags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | AT_RECURSIVE;
  return checked(::syscall(kOpenTreeAttr, directory, path, kFlags, &attributes, sizeof attributes));
}

int attach_mount(int mount, int target) {
  return checked(
      ::move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}

int attach_beneath(int mount, int target) {
  constexpr unsigned kBeneath = 0x200;  // MOVE_MOUNT_BENEATH: younger than Debian 12's headers
  constexpr unsigned kFlags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH | kBeneath;
  return checked(::move_mount(mount, "", target, "", kFlags));
}

int attach_mount_at(int mount, int directory, const char* name) {
  return checked(::move_mount(mount, "", directory, name, MOVE_MOUNT_F_EMPTY_PATH));
}

int mount_here(const char* source, const char* name, const char* type, uint64_t attributes,
               const char* data) {
  unsigned long flags = atime_flag(0, attributes, MOUNT_ATTR__ATIME);
  for (const FlagPair& pair : kOldFlags) {
    if ((attributes & pair.attribute) != 0) flags |= pair.flag;
  }
  return checked(::mount(source, name, type, flags, data));
}

int set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive) {
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.attr_set = set;
  // The access-time mode is one value of three bits: setting it means clearing the old one.
  attributes.attr_clr = (set & MOUNT_ATTR__ATIME) != 0 ? clear | MOUNT_ATTR__ATIME : clear;
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  return checked(::mount_setattr(mount, "", flags, &attributes, sizeof attributes));
}

int set_id_map(int mount, int user_namespace, bool recursive) {
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<uint64_t>(user_namespace);
  const unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0U);
  return checked(::mount_setattr(mount, "", flags, &attributes, sizeof attributes));
}

int remount_attributes(int mount, uint64_t set, uint64_t clear) {
  struct statfs now;
  if (::fstatfs(mount, &now) < 0) return -errno;
  const auto shown = static_cast<unsigned long>(now.f_flags);
  unsigned long flags = MS_REMOUNT | MS_BIND | atime_flag(shown, set, clear);
  for (const FlagPair& pair : kOldFlags) {
    const bool kept = (shown & pair.flag) != 0 && (clear & pair.attribute) == 0;
    if (kept || (set & pair.attribute) != 0) flags |= pair.flag;
  }
  const int result = change_by_path(mount, flags);
  if (result < 0 || (set & MOUNT_ATTR_RDONLY) == 0) return result;
  // A /proc that is the image's own could have led elsewhere.
  if (::fstatfs(mount, &now) < 0) return -errno;
  return (static_cast<unsigned long>(now.f_flags) & ST_RDONLY) != 0 ? 0 : -EINVAL;
}

int make_private(int mount, uint64_t set) {
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.attr_set = set;
  attributes.propagation = MS_PRIVATE;
  return checked(::mount_setattr(mount, "", AT_EMPTY_PATH, &attributes, sizeof attributes));
}

int set_attached_attributes(int mount, uint64_t set, uint64_t clear) {
  const int result = set_attributes(mount, set, clear, false);
  return result == -ENOSYS ? remount_attributes(mount, set, clear) : result;
}

int set_propagation(int mount, unsigned long flags) {
  struct mount_attr attributes;
  memset(&attributes, 0, sizeof attributes);
  attributes.propagation = flags & ~static_cast<unsigned long>(MS_REC);
  const unsigned how = AT_EMPTY_PATH | ((flags & MS_REC) != 0 ? AT_RECURSIVE : 0U);
  const int result = checked(::mount_setattr(mount, "", how, &attributes, sizeof attributes));
  return result == -ENOSYS ? change_by_path(mount, flags) : result;
}

int detach_working_directory() {
  if (::umount2(".", MNT_DETACH) < 0) return -errno;
  return ::chdir("/") < 0 ? -errno : 0;
}

int pivot_root_here() {
  if (::syscall(SYS_pivot_root, ".", ".") < 0) return -errno;
  // The old root lies over the new one now, and is no peer of the host's (RootPlan::isolation).
  return detach_working_directory();
}

}  // namespace berth::os
