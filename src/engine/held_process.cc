// SPDX-License-Identifier: Apache-2.0
#include "engine/held_process.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>

#include "berth/try.h"
#include "core/context.h"
#include "os/directory_list.h"
#include "os/file.h"
#include "os/process.h"

namespace berth::engine {
namespace {

constexpr size_t kFileLimit = 4096;

}  // namespace

Result<HeldProcess> HeldProcess::hold(pid_t pid) {
  os::UniqueFd pidfd = TRY(os::open_pidfd(pid));
  const std::string path = formatted("/proc/{}", pid);
  os::UniqueFd directory = TRY(os::open_at(AT_FDCWD, path.c_str(), O_RDONLY | O_DIRECTORY));
  HeldProcess held(pid, std::move(pidfd), std::move(directory));
  // It had not ended when its directory was opened, so that the number was its own.
  if (held.is_there()) return held;
  return fail(ErrorKind::NotFound, "process {} has ended", pid);
}

bool HeldProcess::is_there() const {
  const Result<bool> ended = os::wait_exit(pidfd_.get(), 0);
  return ended && !*ended;
}

std::vector<pid_t> HeldProcess::threads() const {
  std::vector<pid_t> found;
  const int fd = ::openat(directory_.get(), "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const os::DirectoryList list(fd < 0 ? nullptr : ::fdopendir(fd));
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    pid_t thread = 0;
    const std::string_view name = entry->d_name;
    std::from_chars(name.data(), name.data() + name.size(), thread);
    if (thread > 0) found.push_back(thread);
  }
  return found;
}

bool HeldProcess::has_thread(pid_t thread) const {
  const std::string path = formatted("task/{}", thread);
  return ::faccessat(directory_.get(), path.c_str(), F_OK, 0) == 0;
}

Result<std::string> HeldProcess::read(const char* file) const {
  return os::read_file_at(directory_.get(), file, kFileLimit);
}

Result<> HeldProcess::write(const char* file, std::string_view text) const {
  return os::write_file_at(directory_.get(), file, text);
}

}  // namespace berth::engine
