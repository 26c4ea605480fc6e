// SPDX-License-Identifier: Apache-2.0
#include "os/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "core/populate.h"

namespace berth::os {
namespace {

constexpr size_t kPage = 4096;

// Appends what one read gives; not zeroed first, as resize() would.
ssize_t read_more(int file, std::string& text, size_t size) {
  const size_t used = text.size();
  ssize_t got = 0;
  text.resize_and_overwrite(used + size, [&](char* place, size_t) {
    do {
      got = ::read(file, place + used, size);
    } while (got < 0 && errno == EINTR);
    return used + (got > 0 ? static_cast<size_t>(got) : 0);
  });
  return got;
}

}  // namespace

Result<UniqueFd> open_at(int directory, const char* path, int flags, mode_t mode) {
  UniqueFd fd(::openat(directory, path, flags | O_CLOEXEC, mode));
  if (fd) return fd;
  const int error = errno;
  Error failed = Error::system(error, formatted("open {}", path));
  if (error == ENOENT) failed.set_kind(ErrorKind::NotFound);
  return std::unexpected(std::move(failed));
}

Result<std::string> read_file_at(int directory, const char* path, size_t limit) {
  const UniqueFd file = TRY(open_at(directory, path, O_RDONLY | O_NONBLOCK | O_NOCTTY));
  struct stat status;
  if (::fstat(file.get(), &status) < 0) return system_error(errno, "read {}", path);
  if (!S_ISREG(status.st_mode))
    return fail(ErrorKind::InvalidUse, "{} is not a regular file", path);
  if (status.st_size > static_cast<off_t>(limit))
    return fail(ErrorKind::InvalidUse, "{} is larger than {} bytes", path, limit);
  // A config.json with a profile: its text, and more than that again for what is made of it.
  constexpr off_t kLarge = 16 << 10;
  if (status.st_size >= kLarge) populate_heap(static_cast<size_t>(status.st_size) * 3);
  // Files of kernel filesystems have no size.
  std::string text;
  size_t wanted = status.st_size > 0 ? static_cast<size_t>(status.st_size) + 1 : kPage;
  while (true) {
    const ssize_t size = read_more(file.get(), text, wanted);
    if (size < 0) return system_error(errno, "read {}", path);
    const bool filled = static_cast<size_t>(size) == wanted;
    // All that there was: saves the read that says so.
    if (size == 0 || (!filled && status.st_size > 0)) return text;
    if (text.size() > limit)
      return fail(ErrorKind::InvalidUse, "{} is larger than {} bytes", path, limit);
    if (filled) wanted = text.size();
  }
}

Result<std::string> read_kernel_file(const char* path) {
  const UniqueFd file = TRY(open_at(AT_FDCWD, path, O_RDONLY));
  std::string text(kPage, '\0');
  const ssize_t size = ::read(file.get(), text.data(), text.size());
  if (size < 0) return system_error(errno, "read {}", path);
  text.resize(static_cast<size_t>(size));
  return text;
}

Result<> write_file_at(int directory, const char* path, std::string_view text) {
  const UniqueFd file = TRY(open_at(directory, path, O_WRONLY));
  if (::write(file.get(), text.data(), text.size()) < 0)
    return system_error(errno, "write {} to {}", text, path);
  return {};
}

Result<> write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t size = ::write(fd, text.data(), text.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(errno, "write");
    text.remove_prefix(static_cast<size_t>(size));
  }
  return {};
}

Result<UniqueFd> create_file_at(int directory, const char* path, std::string_view text,
                                mode_t mode) {
  UniqueFd file = TRY(open_at(directory, path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode));
  TRY(write_all(file.get(), text) | context("{}", path));
  return file;
}

Result<> replace_file_at(int directory, const char* path, std::string_view text, mode_t mode) {
  const std::string next = std::string(path) + ".next";
  {
    const UniqueFd file =
        TRY(open_at(directory, next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode));
    TRY(write_all(file.get(), text) | context("{}", path));
  }
  if (::renameat(directory, next.c_str(), directory, path) < 0)
    return system_error(errno, "replace {}", path);
  return {};
}

}  // namespace berth::os
