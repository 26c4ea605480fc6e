// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/types.h>

#include <cstdint>

#include "os/fd.h"

namespace berth::os {

// openat2(2) with EAGAIN (a rename or mount raced with ".." below RESOLVE_IN_ROOT) repeated a
// bounded number of times. Returns a descriptor or -errno.
int open_resolved(int directory, const char* path, int flags, uint64_t resolve, mode_t mode = 0);

// A container's root by descriptor: every path is resolved inside it, symlinks included, and can
// not leave it (openat2, RESOLVE_IN_ROOT; Linux 5.6). Usable after clone. All return a descriptor
// or -errno.
class RootDir {
 public:
  explicit RootDir(int fd) : fd_(fd) {}  // not owned
  int fd() const { return fd_; }

  int open(const char* path, int flags = O_PATH | O_CLOEXEC) const;
  // Follows symlinks in front of the last component only.
  int open_nofollow(const char* path) const { return open(path, O_PATH | O_CLOEXEC | O_NOFOLLOW); }
  // What is there (O_PATH); what is missing is made: directories in front (0755), then a directory
  // or an empty file. A dangling symlink is followed and its target made, inside the root.
  int make_directory(const char* path, mode_t mode = 0755) const { return make(path, true, mode); }
  int make_file(const char* path, mode_t mode = 0644) const { return make(path, false, mode); }
  // The directory that holds the path's last component, made when missing; name points to that
  // component inside path.
  int make_parent(const char* path, const char** name) const;

 private:
  int make(const char* path, bool directory, mode_t mode) const;

  int fd_;
};

}  // namespace berth::os
