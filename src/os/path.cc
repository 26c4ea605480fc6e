// SPDX-License-Identifier: Apache-2.0
#include "os/path.h"

#include <errno.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

namespace berth::os {
namespace {

constexpr int kRaceRetries = 128;
constexpr int kMaxLinks = 40;  // as the kernel's MAXSYMLINKS

// A path while it is walked: the text changes when a dangling link is replaced by its target.
class Walk {
 public:
  explicit Walk(const char* path) {
    length_ = strlen(path);
    fits_ = length_ < sizeof text_;
    if (fits_) memcpy(text_, path, length_ + 1);
  }
  bool fits() const { return fits_; }

  // Moves to the next component; false at the end.
  bool next() {
    start_ = end_;
    while (text_[start_] == '/') ++start_;
    if (text_[start_] == '\0') return false;
    end_ = start_;
    while (text_[end_] != '/' && text_[end_] != '\0') ++end_;
    return true;
  }
  bool last() const {
    size_t rest = end_;
    while (text_[rest] == '/') ++rest;
    return text_[rest] == '\0';
  }
  // The text up to and with the current component, and that component alone; valid until the next
  // call.
  const char* prefix() { return copy(0); }
  const char* name() { return copy(start_); }

  // The current component is a link to target: start again with target in its place.
  bool replace(const char* target, size_t size) {
    char changed[PATH_MAX];
    const size_t keep = target[0] == '/' ? 0 : start_;
    const size_t rest = length_ - end_;
    if (keep + size + rest >= sizeof changed) return false;
    memcpy(changed, text_, keep);
    memcpy(changed + keep, target, size);
    memcpy(changed + keep + size, text_ + end_, rest + 1);
    length_ = keep + size + rest;
    memcpy(text_, changed, length_ + 1);
    start_ = end_ = 0;
    return true;
  }

 private:
  const char* copy(size_t from) {
    memcpy(part_, text_ + from, end_ - from);
    part_[end_ - from] = '\0';
    return part_;
  }

  char text_[PATH_MAX];
  char part_[PATH_MAX];
  size_t length_ = 0, start_ = 0, end_ = 0;
  bool fits_ = false;
};

int make_component(int parent, const char* name, bool directory, mode_t mode) {
  if (directory) {
    if (::mkdirat(parent, name, mode) < 0) return -errno;
    const int fd = ::openat(parent, name, O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
  }
  const UniqueFd file(
      ::openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!file) return -errno;
  const int fd = ::openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
  return fd < 0 ? -errno : fd;
}

}  // namespace

int open_resolved(int directory, const char* path, int flags, uint64_t resolve, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.mode = mode;
  how.resolve = resolve;
  for (int attempt = 0; attempt < kRaceRetries; ++attempt) {
    const long fd = ::syscall(SYS_openat2, directory, path, &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    if (errno != EAGAIN && errno != EINTR) return -errno;
  }
  return -EAGAIN;
}

int RootDir::open(const char* path, int flags) const {
  return open_resolved(fd_, path, flags, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int RootDir::make(const char* path, bool directory, mode_t mode) const {
  const int there = open(path);
  if (there != -ENOENT) return there;
  Walk walk(path);
  if (!walk.fits()) return -ENAMETOOLONG;
  UniqueFd parent(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (int links = 0; walk.next();) {
    const bool want_directory = directory || !walk.last();
    int fd = open(walk.prefix());
    if (fd == -ENOENT)
      fd = make_component(parent.get(), walk.name(), want_directory, walk.last() ? mode : 0755);
    if (fd == -EEXIST) {
      char target[PATH_MAX];
      const ssize_t size = ::readlinkat(parent.get(), walk.name(), target, sizeof target - 1);
      if (size <= 0 || ++links > kMaxLinks) return size <= 0 ? -EEXIST : -ELOOP;
      if (!walk.replace(target, static_cast<size_t>(size))) return -ENAMETOOLONG;
      parent.reset(open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
      continue;
    }
    if (fd < 0) return fd;
    parent.reset(fd);
  }
  return parent.release();
}

int RootDir::make_parent(const char* path, const char** name) const {
  const char* slash = strrchr(path, '/');
  *name = slash == nullptr ? path : slash + 1;
  const size_t size = slash == nullptr ? 0 : static_cast<size_t>(slash - path);
  char parent[PATH_MAX];
  if (size >= sizeof parent) return -ENAMETOOLONG;
  memcpy(parent, path, size);
  parent[size] = '\0';
  return make_directory(size == 0 ? "/" : parent);
}

}  // namespace berth::os
