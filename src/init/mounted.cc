// SPDX-License-Identifier: Apache-2.0
#include "init/mounted.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

namespace berth::init {

int open_descriptors() {
  const int descriptors = ::open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  return descriptors < 0 ? -errno : descriptors;
}

int enter_mounts(int pidfd, int descriptors) {
  if (descriptors < 0) return descriptors;
  const bool inside = ::setns(pidfd, CLONE_NEWNS) == 0 && ::fchdir(descriptors) == 0;
  return inside ? 0 : -errno;
}

// By the name of its descriptor: a mount of a file has no other.
int detach_mount(int mount) {
  char name[16] = {};
  std::to_chars(name, name + sizeof name - 1, mount);
  return ::umount2(name, MNT_DETACH) < 0 ? -errno : 0;
}

int id_of_mount(int file) {
  struct statx status;
  constexpr int kFlags = AT_EMPTY_PATH | AT_STATX_DONT_SYNC;
  if (::syscall(SYS_statx, file, "", kFlags, STATX_MNT_ID, &status) < 0) return -errno;
  return static_cast<int>(status.stx_mnt_id);
}

}  // namespace berth::init
