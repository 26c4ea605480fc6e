// SPDX-License-Identifier: Apache-2.0
#include "init/copy_up.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "os/copy.h"
#include "os/fd.h"
#include "os/path.h"

namespace berth::init {
namespace {

// "." and "..".
bool is_dots(const char* name) {
  return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

int set_times(int directory, const char* name, const struct stat& status) {
  const timespec times[2] = {status.st_atim, status.st_mtim};
  return ::utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

// Which file of the copy is which of the original, remembered without memory: in a directory of the
// copy each file with several names has one more, "DEVICE-INODE".
class HardLinks {
 public:
  void begin(int from, int to) {
    from_ = from;
    to_ = to;
  }

  // 1: the file is in the copy already, and now has this name too.
  int reuse(const struct stat& status, os::EntryName name) const {
    if (!directory_) return 0;
    if (::linkat(directory_.get(), Key(status).text, name.directory, name.name, 0) == 0) return 1;
    return errno == ENOENT ? 0 : -errno;
  }

  int remember(const struct stat& status, os::EntryName name) {
    if (!directory_) {
      const int result = make_directory();
      if (result < 0) return result;
    }
    const Key key(status);
    return ::linkat(name.directory, name.name, directory_.get(), key.text, 0) < 0 ? -errno : 0;
  }

  int remove() {
    char entries[4096];
    while (directory_) {
      if (::lseek(directory_.get(), 0, SEEK_SET) < 0) return -errno;
      const long size = ::syscall(SYS_getdents64, directory_.get(), entries, sizeof entries);
      if (size < 0) return -errno;
      const long removed = remove_all(entries, size);
      if (removed < 0) return static_cast<int>(removed);
      if (removed > 0) continue;
      directory_.reset();
      return ::unlinkat(to_, name_, AT_REMOVEDIR) < 0 ? -errno : 0;
    }
    return 0;
  }

 private:
  struct Key {
    explicit Key(const struct stat& status) {
      char* end = std::to_chars(text, text + 24, status.st_dev, 16).ptr;
      *end++ = '-';
      *std::to_chars(end, end + 24, status.st_ino, 16).ptr = '\0';
    }
    char text[56];
  };

  // A name that the original does not have.
  int make_directory() {
    struct stat status;
    while (::fstatat(from_, name_, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      char& last = name_[sizeof name_ - 2];
      if (last++ == 'z') return -EEXIST;
    }
    if (::mkdirat(to_, name_, 0700) < 0) return -errno;
    directory_.reset(::openat(to_, name_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    return directory_ ? 0 : -errno;
  }

  long remove_all(const char* entries, long size) const {
    long removed = 0;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries + at);
      at += entry->d_reclen;
      if (entry->d_name[0] == '.') continue;
      if (::unlinkat(directory_.get(), entry->d_name, 0) < 0) return -errno;
      ++removed;
    }
    return removed;
  }

  int from_ = -1;
  int to_ = -1;
  os::UniqueFd directory_;
  char name_[18] = ".berth-links-tmpa";
};

// A directory whose entries are copied, or one above it.
struct Level {
  struct stat status;
  off_t next = 0;  // where to go on reading after a directory below is done
};

// Two descriptors are open at any depth. The way up is "..": in the copy nobody else moves
// anything, and in the original it is compared with where we came from.
class TreeCopy {
 public:
  int run(int from, int to, GivenOfRoot given) {
    Level& root = levels_[0];
    from_.reset(::openat(from, ".", kDirectory));
    if (!from_ || ::fstat(from_.get(), &root.status) < 0) return -errno;
    to_.reset(::openat(to, ".", kDirectory));
    if (!to_) return -errno;
    links_.begin(from, to);
    for (int result = 1; result > 0;) {
      result = copy_some();
      if (result == 0 && depth_ > 0) result = leave_directory();
      if (result < 0) return result;
    }
    const int removed = links_.remove();
    return removed < 0 ? removed : finish_directory(given);
  }

 private:
  static constexpr int kDirectory = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

  // Until the buffer is used up or a directory is entered. 0: nothing is left here.
  int copy_some() {
    Level& level = levels_[depth_];
    if (::lseek(from_.get(), level.next, SEEK_SET) < 0) return -errno;
    const long size = ::syscall(SYS_getdents64, from_.get(), entries_, sizeof entries_);
    if (size <= 0) return size < 0 ? -errno : 0;
    for (long at = 0; at < size;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries_ + at);
      at += entry->d_reclen;
      level.next = entry->d_off;
      if (is_dots(entry->d_name)) continue;
      const int before = depth_;
      const int result = copy_entry(entry->d_name);
      if (result < 0) return result;
      if (depth_ != before) return 1;
    }
    return 1;
  }

  int copy_entry(const char* name) {
    struct stat status;
    if (::fstatat(from_.get(), name, &status, AT_SYMLINK_NOFOLLOW) < 0)
      return errno == ENOENT ? 0 : -errno;  // it is gone by now
    if (S_ISDIR(status.st_mode)) return enter_directory(name, status);
    const bool linked = status.st_nlink > 1;
    const os::EntryName target{to_.get(), name};
    const int reused = linked ? links_.reuse(status, target) : 0;
    if (reused != 0) return reused < 0 ? reused : 0;
    const int made = make_file(name, status);
    if (made <= 0) return made;
    const int finished = finish_file(name, status);
    return finished == 0 && linked ? links_.remember(status, target) : finished;
  }

  int enter_directory(const char* name, const struct stat& status) {
    if (depth_ + 1 == kMaxCopyDepth) return -ENAMETOOLONG;
    if (::mkdirat(to_.get(), name, 0700) < 0) return -errno;
    const int from = os::open_resolved(from_.get(), name, kDirectory,
                                       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    // A mount: its place only.
    if (from == -EXDEV) return finish_place(name, status);
    if (from < 0) return from;
    from_.reset(from);
    to_.reset(::openat(to_.get(), name, kDirectory));
    levels_[++depth_] = {.status = status};
    if (!to_ || ::fstat(from, &levels_[depth_].status) < 0) return -errno;
    return 0;
  }

  int leave_directory() {
    const int result = finish_directory({});
    if (result < 0) return result;
    const struct stat& above = levels_[--depth_].status;
    struct stat status;
    from_.reset(::openat(from_.get(), "..", kDirectory));
    to_.reset(::openat(to_.get(), "..", kDirectory));
    if (!from_ || !to_ || ::fstat(from_.get(), &status) < 0) return -errno;
    const bool same = status.st_ino == above.st_ino && status.st_dev == above.st_dev;
    return same ? 1 : -ESTALE;
  }

  // 1: it is there; 0: it can not be made here.
  int make_file(const char* name, const struct stat& status) {
    if (S_ISREG(status.st_mode)) return copy_regular(name);
    if (S_ISLNK(status.st_mode)) return copy_link(name);
    if (::mknodat(to_.get(), name, (status.st_mode & S_IFMT) | 0600, status.st_rdev) == 0) return 1;
    // Device nodes are not for everybody: a user namespace, the device rules of the cgroup.
    return errno == EPERM ? 0 : -errno;
  }

  int copy_regular(const char* name) const {
    const os::UniqueFd from(
        ::openat(from_.get(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    struct stat status;
    if (!from || ::fstat(from.get(), &status) < 0) return -errno;
    if (!S_ISREG(status.st_mode)) return -ESTALE;  // somebody exchanges files under us
    const os::UniqueFd to(
        ::openat(to_.get(), name, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!to) return -errno;
    const int result = os::copy_content(from.get(), to.get(), status.st_size);
    return result < 0 ? result : 1;
  }

  int copy_link(const char* name) const {
    char target[PATH_MAX];
    const ssize_t size = ::readlinkat(from_.get(), name, target, sizeof target - 1);
    if (size < 0) return -errno;
    target[size] = '\0';
    return ::symlinkat(target, to_.get(), name) < 0 ? -errno : 1;
  }

  // The owner first: changing it drops set-id bits and capabilities. Lists after the mode, which
  // would change them.
  int finish_file(const char* name, const struct stat& status) {
    const int to = to_.get();
    if (::fchownat(to, name, status.st_uid, status.st_gid, AT_SYMLINK_NOFOLLOW) < 0) return -errno;
    if (!S_ISLNK(status.st_mode) && ::fchmodat(to, name, status.st_mode & 07777, 0) < 0)
      return -errno;
    const int result = os::copy_extended_attributes({from_.get(), name}, {to, name}, attributes_);
    return result < 0 ? result : set_times(to, name, status);
  }

  int finish_place(const char* name, const struct stat& status) const {
    if (::fchownat(to_.get(), name, status.st_uid, status.st_gid, 0) < 0 ||
        ::fchmodat(to_.get(), name, status.st_mode & 07777, 0) < 0)
      return -errno;
    return set_times(to_.get(), name, status);
  }

  // After its entries: they change its times, and would inherit a default access control list.
  int finish_directory(GivenOfRoot given) {
    constexpr auto kKeep = static_cast<uid_t>(-1);
    const struct stat& status = levels_[depth_].status;
    const int to = to_.get();
    if (::fchown(to, given.uid ? kKeep : status.st_uid, given.gid ? kKeep : status.st_gid) < 0 ||
        (!given.mode && ::fchmod(to, status.st_mode & 07777) < 0))
      return -errno;
    const int result = os::copy_extended_attributes({from_.get(), "."}, {to, "."}, attributes_);
    return result < 0 ? result : set_times(to, ".", status);
  }

  os::UniqueFd from_;
  os::UniqueFd to_;
  HardLinks links_;
  int depth_ = 0;
  Level levels_[kMaxCopyDepth];
  char entries_[8192];
  os::AttributeBuffer attributes_;
};

}  // namespace

int copy_up(int from, int to, GivenOfRoot given) {
  TreeCopy copy;
  return copy.run(from, to, given);
}

}  // namespace berth::init
