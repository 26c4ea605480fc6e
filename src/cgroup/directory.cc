// SPDX-License-Identifier: Apache-2.0
#include "cgroup/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "os/path.h"

namespace berth::cgroup {
namespace {

constexpr uint64_t kBeneath =
    RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS;
constexpr size_t kFileLimit = 4 << 20;

}  // namespace

bool Directory::has(std::string_view controller) const {
  return std::ranges::find(place_.controllers, controller) != place_.controllers.end();
}

std::string Directory::parent_path() const {
  const size_t slash = place_.path.rfind('/');
  return slash == 0 ? std::string() : place_.path.substr(1, slash - 1);
}

const char* Directory::name() const { return place_.path.c_str() + place_.path.rfind('/') + 1; }

Result<int> Directory::root() const {
  if (root_) return root_.get();
  os::UniqueFd root(::open(place_.mountpoint.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return system_error(errno, "open cgroup hierarchy {}", place_.mountpoint);
  struct statfs filesystem;
  if (::fstatfs(root.get(), &filesystem))
    return system_error(errno, "statfs {}", place_.mountpoint);
  const auto expected = place_.is_v2 ? CGROUP2_SUPER_MAGIC : CGROUP_SUPER_MAGIC;
  if (filesystem.f_type != expected) {
    return fail(ErrorKind::System, "{} is not a cgroup{} filesystem", place_.mountpoint,
                place_.is_v2 ? "2" : "");
  }
  root_ = std::move(root);
  return root_.get();
}

Result<os::UniqueFd> Directory::open_in_hierarchy(const std::string& path, int flags) const {
  const int fd =
      os::open_resolved(
          TRY(root()), path.empty() ? "." : path.c_str(), flags | O_CLOEXEC, kBeneath);
  if (fd < 0) return system_error(-fd, "open {}/{}", place_.mountpoint, path);
  return os::UniqueFd(fd);
}

Result<int> Directory::parent() const {
  if (is_direct_child()) return root();
  if (!parent_) parent_ = TRY(open_in_hierarchy(parent_path(), O_PATH | O_DIRECTORY));
  return parent_.get();
}

Result<int> Directory::fd() const {
  if (!own_) {
    const int fd =
        os::open_resolved(TRY(parent()), name(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, kBeneath);
    if (fd < 0) return system_error(-fd, "open cgroup {}", full_path());
    own_.reset(fd);
  }
  return own_.get();
}

Result<os::UniqueFd> Directory::open_file(const char* file, int flags) const {
  const std::string path = std::string(name()) + "/" + file;
  const int fd = os::open_resolved(TRY(parent()), path.c_str(), flags | O_CLOEXEC, kBeneath);
  if (fd == -ENOENT) return missing_file(*this, file);
  if (fd < 0) return system_error(-fd, "open {}/{}", full_path(), file);
  return os::UniqueFd(fd);
}

Result<> Directory::make_parents() {
  Result<int> there = parent();
  if (there || !is_missing(there.error()))
    return there ? Result<>() : std::unexpected(std::move(there).error());
  std::string path;
  for (const std::string& part : split_path(parent_path())) {
    os::UniqueFd above = TRY(open_in_hierarchy(path, O_PATH | O_DIRECTORY));
    path += (path.empty() ? "" : "/") + part;
    if (::mkdirat(above.get(), part.c_str(), 0755) == 0) {
      made_.push_back(path);
    } else if (errno != EEXIST) {
      return system_error(errno, "make cgroup {}/{}", place_.mountpoint, path);
    }
  }
  (void)TRY(parent());
  return {};
}

Result<> Directory::make() {
  TRY(make_parents());
  if (::mkdirat(TRY(parent()), name(), 0755) == 0) {
    made_leaf_ = true;
  } else if (errno == EEXIST) {
    existed_ = true;
  } else {
    return system_error(errno, "make cgroup {}", full_path());
  }
  return {};
}

void Directory::unmake() {
  if (made_leaf_ && parent_)
    ::unlinkat(parent_.get(), name(), AT_REMOVEDIR);
  else if (made_leaf_ && root_)
    ::unlinkat(root_.get(), place_.path.c_str() + 1, AT_REMOVEDIR);
  made_leaf_ = false;
  for (; !made_.empty(); made_.pop_back())
    ::unlinkat(root_.get(), made_.back().c_str(), AT_REMOVEDIR);
}

Result<bool> Directory::exists() const {
  if (left_out_) return false;
  Result<int> above = parent();
  if (above && ::faccessat(*above, name(), F_OK, AT_SYMLINK_NOFOLLOW) == 0) return true;
  const int error = above ? errno : above.error().os_error();
  if (error == ENOENT || error == ENOTDIR || error == ENODEV) return false;
  return system_error(error, "look for cgroup {}", full_path());
}

Result<std::string> Directory::read(const std::string& file) const {
  if (left_out_) return missing_file(*this, file);
  const int directory = TRY(fd());
  Result<std::string> text = read_control(directory, file);
  if (!text && is_missing(text.error())) return missing_file(*this, file);
  return text;
}

Result<std::string> read_control(int dirfd, const std::string& file) {
  const os::UniqueFd opened(::openat(dirfd, file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!opened) return system_error(errno, "open {}", file);
  std::string text;
  char part[8192];
  for (;;) {
    const ssize_t size = ::read(opened.get(), part, sizeof part);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error(errno, "read {}", file);
    text.append(part, static_cast<size_t>(size));
    if (static_cast<size_t>(size) < sizeof part / 2) return text;
    if (text.size() > kFileLimit) return system_error(EFBIG, "read {}", file);
  }
}

Result<> Directory::write(const std::string& file, std::string_view text) const {
  if (left_out_) return missing_file(*this, file);
  const int directory = TRY(fd());
  Result<> written = os::write_file_at(directory, file.c_str(), text);
  if (written) return {};
  const int error = written.error().os_error();
  // Of a file with a line for each device it says that there is no such device.
  const bool names_device = error == ENODEV && text.contains(' ');
  if (is_missing(written.error()) && !names_device) return missing_file(*this, file);
  return system_error(error, "write {} to {}", text, file);
}

std::unexpected<Error> missing_file(const Directory& directory, std::string_view file) {
  const std::string_view controller = file.substr(0, file.find('.'));
  return std::unexpected(
      Error(ErrorKind::System, ENOENT,
            formatted("{} is not available in cgroup {} (is the {} controller there and enabled?): "
                      "no such file or directory",
                      file, directory.full_path(), controller)));
}

bool is_missing(const Error& error) {
  return error.os_error() == ENOENT || error.os_error() == ENODEV;
}

bool is_denied(const Error& error) {
  return error.os_error() == EACCES || error.os_error() == EPERM || error.os_error() == EROFS;
}

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> parts;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end > 0) parts.emplace_back(path.substr(0, end));
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return parts;
}

}  // namespace berth::cgroup
