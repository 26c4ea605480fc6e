// SPDX-License-Identifier: Apache-2.0
#include "engine/state_store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::engine {
namespace {

constexpr const char* kRecordFile = "state.json";
constexpr size_t kMaxState = 32 << 20;
constexpr size_t kMaxId = 255;

bool is_id_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '+' || letter == '-' ||
         letter == '.';
}

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};
using DirectoryList = std::unique_ptr<DIR, CloseDirectory>;

// The root and its parents, 0700. The sticky bit spares it from cleaners of XDG_RUNTIME_DIR.
Result<os::UniqueFd> open_root(const std::string& root, bool make) {
  os::UniqueFd fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (fd || errno != ENOENT || !make) {
    if (!fd) return system_error(errno, "open the state root {}", root);
    return fd;
  }
  for (size_t slash = root.find('/', 1); slash != std::string::npos;
       slash = root.find('/', slash + 1)) {
    if (::mkdir(root.substr(0, slash).c_str(), 0711) < 0 && errno != EEXIST)
      return system_error(errno, "make {}", root);
  }
  if (::mkdir(root.c_str(), 0700) < 0 && errno != EEXIST)
    return system_error(errno, "make {}", root);
  if (::chmod(root.c_str(), 01700) < 0) return system_error(errno, "make {}", root);
  return open_root(root, false);
}

}  // namespace

Result<> check_id(std::string_view id) {
  if (id.empty()) return fail(ErrorKind::InvalidUse, "container id cannot be empty");
  const bool good =
      std::ranges::all_of(id, is_id_letter) && id != "." && id != ".." && id.size() <= kMaxId;
  if (!good) {
    return fail(
        ErrorKind::InvalidUse,
        "invalid container id {}: letters, digits and _ + - . are allowed, at most {} of them",
        id.substr(0, 80), kMaxId);
  }
  return {};
}

StateDir::StateDir(os::UniqueFd root, os::UniqueFd fd, std::string id, std::string path)
    : root_(std::move(root)), fd_(std::move(fd)), id_(std::move(id)), path_(std::move(path)) {}

Result<StateDir> StateDir::create(const std::string& root, std::string_view id) {
  TRY(check_id(id));
  const std::string name(id);
  os::UniqueFd root_fd = TRY(open_root(root, true));
  if (::mkdirat(root_fd.get(), name.c_str(), 0711) < 0) {
    if (errno == EEXIST)
      return fail(ErrorKind::AlreadyExists, "container with given ID already exists: {}", id);
    return system_error(errno, "make the state directory of {}", id);
  }
  os::UniqueFd fd(
      ::openat(root_fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!fd) return system_error(errno, "open the state directory of {}", id);
  StateDir directory(std::move(root_fd), std::move(fd), name, root + "/" + name);
  TRY(directory.lock());
  return directory;
}

Result<StateDir> StateDir::open(const std::string& root, std::string_view id) {
  TRY(check_id(id));
  const std::string name(id);
  os::UniqueFd root_fd(::open(root.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  os::UniqueFd fd;
  if (root_fd)
    fd.reset(
        ::openat(root_fd.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (fd) return StateDir(std::move(root_fd), std::move(fd), name, root + "/" + name);
  if (errno == ENOENT) return fail(ErrorKind::NotFound, "container does not exist: {}", id);
  return system_error(errno, "open the state directory of {}", id);
}

Result<> StateDir::lock() const {
  while (::flock(fd_.get(), LOCK_EX) < 0) {
    if (errno != EINTR) return system_error(errno, "lock container {}", id_);
  }
  struct stat status;
  if (::fstat(fd_.get(), &status) < 0 || status.st_nlink == 0) {
    return fail(ErrorKind::NotFound, "container does not exist: {}", id_);
  }
  return {};
}

Result<bool> StateDir::is_locked() const {
  if (::flock(fd_.get(), LOCK_EX | LOCK_NB) == 0) {
    unlock();
    return false;
  }
  if (errno == EWOULDBLOCK) return true;
  return system_error(errno, "look at the lock of container {}", id_);
}

void StateDir::unlock() const { (void)::flock(fd_.get(), LOCK_UN); }

Result<> StateDir::write_intent(const Record& record, std::string_view config) {
  std::string text = engine::write_process({});
  text.append(write_record(record));
  state_file_ = TRY(os::create_file_at(fd_.get(), kRecordFile, text, 0600));
  return os::write_all(state_file_.get(), config);  // not copied: it may be long
}

Result<> StateDir::write_process(const Record& record) const {
  const std::string line = engine::write_process(record);
  if (::pwrite(state_file_.get(), line.data(), line.size(), 0) == ssize_t{kProcessLine}) return {};
  return system_error(errno, "write the process of container {}", id_);
}

Result<std::string> StateDir::read_state() const {
  return os::read_file_at(fd_.get(), kRecordFile, kMaxState) | context("container {}", id_);
}

Result<SavedState> StateDir::read() const {
  SavedState state{.config = TRY(read_state())};
  const std::string_view text = state.config;
  const size_t start = std::min(kProcessLine, text.size());
  const size_t end = std::min(text.find('\n', start), text.size());
  state.record = TRY(read_record(text.substr(start, end - start)) |
                     context("state of container {} is damaged (delete --force removes it)", id_));
  read_process(text.substr(0, start), state.record);
  state.config.erase(0, std::min(end + 1, text.size()));
  return state;
}

Result<std::string> StateDir::read_config() const {
  std::string text = TRY(read_state());
  const size_t end = text.find('\n', std::min(kProcessLine, text.size()));
  text.erase(0, end == std::string::npos ? text.size() : end + 1);
  return text;
}

Result<os::UniqueFd> StateDir::make_gate() const {
  if (::mkfifoat(fd_.get(), kGateFile, 0600) < 0) return system_error(errno, "make the start gate");
  return os::open_at(fd_.get(), kGateFile, O_RDWR | O_NOFOLLOW);
}

bool StateDir::has_gate() const {
  return ::faccessat(fd_.get(), kGateFile, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<os::UniqueFd> StateDir::open_gate() const {
  return os::open_at(fd_.get(), kGateFile, O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
}

void StateDir::remove_gate() const { (void)::unlinkat(fd_.get(), kGateFile, 0); }

Result<> StateDir::remove() const {
  // Most have nothing else in them.
  if (::unlinkat(fd_.get(), kRecordFile, 0) == 0 &&
      ::unlinkat(root_.get(), id_.c_str(), AT_REMOVEDIR) == 0)
    return {};
  const int copy = ::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3);
  const DirectoryList list(copy < 0 ? nullptr : ::fdopendir(copy));
  if (!list) return system_error(errno, "read {}", path_);
  ::rewinddir(list.get());
  (void)::unlinkat(fd_.get(), kNotifySocket, 0);  // the only file below a directory
  while (const dirent* entry = ::readdir(list.get())) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    const int flags = entry->d_type == DT_DIR ? AT_REMOVEDIR : 0;
    if (::unlinkat(fd_.get(), entry->d_name, flags) < 0 && errno != ENOENT)
      return system_error(errno, "remove {}/{}", path_, name);
  }
  if (::unlinkat(root_.get(), id_.c_str(), AT_REMOVEDIR) < 0 && errno != ENOENT)
    return system_error(errno, "remove {}", path_);
  return {};
}

Result<std::vector<std::string>> list_ids(const std::string& root) {
  const DirectoryList list(::opendir(root.c_str()));
  std::vector<std::string> ids;
  if (!list && errno == ENOENT) return ids;
  if (!list) return system_error(errno, "read the state root {}", root);
  while (const dirent* entry = ::readdir(list.get())) {
    if (entry->d_type == DT_DIR && entry->d_name[0] != '.') ids.emplace_back(entry->d_name);
  }
  std::ranges::sort(ids);
  return ids;
}

std::string boot_id() {
  const Result<std::string> text = os::read_kernel_file("/proc/sys/kernel/random/boot_id");
  return text ? text->substr(0, text->find('\n')) : std::string();
}

}  // namespace berth::engine
