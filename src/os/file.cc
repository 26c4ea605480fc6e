// SPDX-License-Identifier: Apache-2.0
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/context.h"
#include "os/fd.h"

namespace berth::os {

namespace {

Result<std::string> read_all(int fd, const char* path, size_t limit) {
  std::string text;
  char part[4096];
  for (;;) {
    ssize_t size = ::read(fd, part, sizeof part);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(errno, "read {}", path);
    if (size == 0) return text;
    text.append(part, static_cast<size_t>(size));
    if (text.size() > limit) return system_error(EFBIG, "read {}", path);
  }
}

}  // namespace

Result<std::string> read_file_at(int dirfd, const char* path, size_t limit) {
  UniqueFd file(::openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error(errno, "open {}", path);
  return read_all(file.get(), path, limit);
}

Result<> write_file_at(int dirfd, const char* path, std::string_view text) {
  UniqueFd file(::openat(dirfd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error(errno, "open {}", path);
  ssize_t size;
  do {
    size = ::write(file.get(), text.data(), text.size());
  } while (size < 0 && errno == EINTR);
  if (size < 0) return system_error(errno, "write {}", path);
  if (static_cast<size_t>(size) != text.size()) return system_error(EIO, "write {}", path);
  return {};
}

}  // namespace berth::os
