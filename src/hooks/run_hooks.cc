// SPDX-License-Identifier: Apache-2.0
#include "hooks/run_hooks.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "core/signal_words.h"
#include "os/file.h"
#include "os/process.h"

namespace berth::hooks {
namespace {

constexpr size_t kMaxOutput = 4096;

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

// A memory file rather than a pipe: the state may be of any size, and a hook may read it or not.
Result<os::UniqueFd> memory_file(const char* name, std::string_view text) {
  os::UniqueFd file(::memfd_create(name, MFD_CLOEXEC));
  if (!file) return system_error(errno, "make a memory file");
  TRY(os::write_all(file.get(), text));
  if (::lseek(file.get(), 0, SEEK_SET) < 0) return system_error(errno, "make a memory file");
  return file;
}

std::string read_output(int file) {
  std::string text(kMaxOutput, '\0');
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

struct Streams {
  int input;
  int output;
};

Result<os::ChildProcess> spawn(const plan::HookItem& hook, const Streams& streams,
                               const std::string& directory) {
  const std::vector<std::string> args = hook.args.empty() ? std::vector{hook.path} : hook.args;
  const std::vector<char*> argv = pointers(args);
  const std::vector<char*> envp = pointers(hook.env);
  int pidfd = -1;
  const pid_t pid = os::clone_child({}, &pidfd);
  if (pid < 0) return system_error(-pid, "start hook {}", hook.path);
  if (pid > 0) return os::ChildProcess(pid, os::UniqueFd(pidfd));
  ::setpgid(0, 0);
  (void)::signal(SIGPIPE, SIG_DFL);
  const bool ready = ::dup2(streams.input, 0) >= 0 && ::dup2(streams.output, 1) >= 0 &&
                     ::dup2(streams.output, 2) >= 0 && ::chdir(directory.c_str()) == 0;
  if (ready) ::execve(hook.path.c_str(), argv.data(), envp.data());
  ::dprintf(2, "cannot be run: %s", strerrordesc_np(errno));
  ::_exit(127);
}

Result<> run_hook(const plan::HookItem& hook, std::string_view state,
                  const std::string& directory) {
  const os::UniqueFd input = TRY(memory_file("state", state));
  const os::UniqueFd output = TRY(memory_file("hook", {}));
  os::ChildProcess child = TRY(spawn(hook, {input.get(), output.get()}, directory));
  const int timeout = hook.timeout_seconds ? *hook.timeout_seconds * 1000 : -1;
  if (!TRY(os::wait_exit(child.pidfd(), timeout))) {
    (void)::kill(-child.pid(), SIGKILL);
    return fail(ErrorKind::System, "hook {} did not end within {} s: {}", hook.path, timeout / 1000,
                read_output(output.get()));
  }
  const os::WaitStatus status = TRY(child.wait());
  if (status.signal != 0) {
    return fail(ErrorKind::System, "hook {} was killed by {}: {}", hook.path,
                signal_words(status.signal), read_output(output.get()));
  }
  if (status.code != 0) {
    return fail(ErrorKind::System, "hook {} failed with exit status {}: {}", hook.path, status.code,
                read_output(output.get()));
  }
  return {};
}

}  // namespace

Result<> run_hooks(std::span<const plan::HookItem> hooks, std::string_view state,
                   const std::string& directory) {
  for (const plan::HookItem& hook : hooks)
    TRY(run_hook(hook, state, directory) | context("error running hook") | at(hook.pointer));
  return {};
}

}  // namespace berth::hooks
