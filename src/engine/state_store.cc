// SPDX-License-Identifier: Apache-2.0
#include "engine/state_store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "os/directory_list.h"
#include "os/file.h"
#include "spec/read_spec.h"

namespace berth::engine {
namespace {

constexpr const char* kRecordFile = "state.json";
constexpr const char* kExitFile = "exit.json";
constexpr size_t kMaxState = 32 << 20;
constexpr size_t kMaxExit = 1 << 20;
constexpr size_t kMaxId = 255;
constexpr std::string_view kDamaged = " is damaged (delete --force removes it)";

bool is_id_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
         (letter >= '0' && letter <= '9') || letter == '_' || letter == '+' || letter == '-' ||
         letter == '.';
}

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
  std::string text = engine::write_process({}) + engine::write_started(0);
  text.append(write_record(record));
  state_file_ = TRY(os::create_file_at(fd_.get(), kRecordFile, text, 0600));
  return os::write_all(state_file_.get(), config);  // not copied: it may be long
}

Result<> StateDir::write_process(const Record& record) const {
  const std::string head = engine::write_process(record) + engine::write_started(record.started);
  if (::pwrite(state_file_.get(), head.data(), head.size(), 0) == ssize_t{kHead}) return {};
  return system_error(errno, "write the process of container {}", id_);
}

Result<> StateDir::replace(const Record& record, std::string_view config) const {
  std::string text = engine::write_process(record) + engine::write_started(record.started);
  text.append(write_record(record)).append(config);
  return os::replace_file_at(fd_.get(), kRecordFile, text, 0600) |
         context("write the state of container {}", id_);
}

Result<> StateDir::write_started(int64_t nanoseconds) const {
  const os::UniqueFd file = TRY(os::open_at(fd_.get(), kRecordFile, O_WRONLY | O_NOFOLLOW));
  const std::string line = engine::write_started(nanoseconds);
  if (::pwrite(file.get(), line.data(), line.size(), kProcessLine) == ssize_t{kStartedLine})
    return {};
  return system_error(errno, "write the start of container {}", id_);
}

Result<std::string> StateDir::read_state() const {
  return os::read_file_at(fd_.get(), kRecordFile, kMaxState) | context("container {}", id_);
}

Result<SavedState> StateDir::read_without_annotations() const {
  SavedState state{.config = TRY(read_state())};
  const std::string_view text = state.config;
  const size_t start = std::min(kHead, text.size());
  const size_t end = std::min(text.find('\n', start), text.size());
  Result<Record> record = read_record(text.substr(start, end - start));
  const bool newer = !record && record.error().kind() == ErrorKind::Unsupported;
  state.record =
      TRY(std::move(record) | context("state of container {}{}", id_, newer ? "" : kDamaged));
  const std::string_view head = text.substr(0, start);
  const std::string_view process = head.substr(0, kProcessLine);
  read_process(process, state.record);
  read_started(head.substr(process.size()), state.record);
  state.config.erase(0, std::min(end + 1, text.size()));
  return state;
}

Result<SavedState> StateDir::read() const {
  SavedState state = TRY(read_without_annotations());
  if (!state.record.annotated) return state;
  Result<StringMap> annotations = spec::read_annotations(state.config);
  if (annotations) state.record.annotations = std::move(*annotations);
  // Without a process, who makes the container may still be writing.
  if (!annotations && state.record.pid != 0) return std::unexpected(std::move(annotations).error());
  return state;
}

Result<std::string> StateDir::read_config() const {
  std::string text = TRY(read_state());
  const size_t end = text.find('\n', std::min(kHead, text.size()));
  text.erase(0, end == std::string::npos ? text.size() : end + 1);
  return text;
}

Result<std::string> StateDir::read_exit() const {
  Result<std::string> text = os::read_file_at(fd_.get(), kExitFile, kMaxExit);
  if (!text && text.error().kind() == ErrorKind::NotFound) return std::string();
  return std::move(text) | context("container {}", id_);
}

Result<> StateDir::write_exit(std::string_view text) const {
  return os::replace_file_at(fd_.get(), kExitFile, text, 0600) | context("container {}", id_);
}

Result<os::UniqueFd> StateDir::make_gate(const std::string& name) const {
  if (::mkfifoat(fd_.get(), name.c_str(), 0600) < 0)
    return system_error(errno, "make the start gate");
  return os::open_at(fd_.get(), name.c_str(), O_RDWR | O_NOFOLLOW);
}

Result<> StateDir::rename_gate(const std::string& from, const std::string& to) const {
  if (::renameat(fd_.get(), from.c_str(), fd_.get(), to.c_str()) == 0) return {};
  return system_error(errno, "name the start gate");
}

bool StateDir::has_gate() const {
  return ::faccessat(fd_.get(), kGateFile, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Result<os::UniqueFd> StateDir::open_gate(const std::string& name) const {
  return os::open_at(fd_.get(), name.c_str(), O_WRONLY | O_NONBLOCK | O_NOFOLLOW);
}

void StateDir::remove_gate(const std::string& name) const {
  (void)::unlinkat(fd_.get(), name.c_str(), 0);
}

Result<> StateDir::remove() const {
  // Most have nothing else in them.
  if (::unlinkat(fd_.get(), kRecordFile, 0) == 0 &&
      ::unlinkat(root_.get(), id_.c_str(), AT_REMOVEDIR) == 0)
    return {};
  const int copy = ::fcntl(fd_.get(), F_DUPFD_CLOEXEC, 3);
  const os::DirectoryList list(copy < 0 ? nullptr : ::fdopendir(copy));
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
  const os::DirectoryList list(::opendir(root.c_str()));
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
