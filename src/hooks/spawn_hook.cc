// SPDX-License-Identifier: Apache-2.0
#include "hooks/spawn_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <vector>

#include "core/context.h"

// The children may be of a program with many threads: up to their execve they allocate nothing.
namespace berth::hooks {
namespace {

constexpr int kCannotRun = 127;

struct Prepared {
  const HookCall& call;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

std::vector<char*> pointers(const std::vector<std::string>& words) {
  std::vector<char*> list;
  list.reserve(words.size() + 1);
  for (const std::string& word : words) list.push_back(const_cast<char*>(word.c_str()));
  list.push_back(nullptr);
  return list;
}

// What the caller blocks or ignores is its own business: execve would hand both on.
void reset_signals() {
  for (int number = 1; number < NSIG; ++number) (void)::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  (void)::sigprocmask(SIG_SETMASK, &none, nullptr);
}

[[noreturn]] void become_hook(const Prepared& prepared) {
  const HookCall& call = prepared.call;
  ::setpgid(0, 0);
  reset_signals();
  const bool ready = ::dup2(call.input, 0) >= 0 && ::dup2(call.output, 1) >= 0 &&
                     ::dup2(call.output, 2) >= 0 && ::chdir(call.directory.c_str()) == 0;
  if (ready) ::execve(call.hook.path.c_str(), prepared.argv.data(), prepared.envp.data());
  ::dprintf(2, "cannot be run: %s", strerrordesc_np(errno));
  ::_exit(kCannotRun);
}

// Locks of the caller must not live as long as a hook whose caller was killed.
void close_all_but(int one, int other) {
  const auto low = static_cast<unsigned>(std::min(one, other));
  const auto high = static_cast<unsigned>(std::max(one, other));
  (void)::close_range(3, low - 1, 0);
  if (high > low + 1) (void)::close_range(low + 1, high - 1, 0);
  (void)::close_range(high + 1, ~0U, 0);
}

// How many were sent the signal; -1: this kernel does not list them.
int signal_children() {
  char text[4096];
  const int file = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
  const ssize_t size = file < 0 ? -1 : ::read(file, text, sizeof text);
  ::close(file);
  int signalled = 0;
  const char* const end = text + std::max<ssize_t>(size, 0);
  for (const char* at = text; at < end; ++at) {
    pid_t pid = 0;
    const auto [rest, problem] = std::from_chars(at, end, pid);
    // The last one of a full buffer may be cut.
    if (problem == std::errc() && rest < end && ::kill(pid, SIGKILL) == 0) ++signalled;
    at = rest;
  }
  return size < 0 ? -1 : signalled;
}

// Whose parent is killed becomes a child of the keeper: round by round all of them do.
void kill_family(pid_t hook) {
  (void)::kill(-hook, SIGKILL);
  while (true) {
    const int signalled = signal_children();
    if (signalled < 0) return;
    const int options = signalled > 0 ? WEXITED : WEXITED | WNOHANG;
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, options) < 0 && errno != EINTR) return;
  }
}

// Ends as the hook did, so that the caller needs no other word; without a second core file.
[[noreturn]] void end_like(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) ::_exit(info.si_status);
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)::kill(::getpid(), info.si_status);
  ::_exit(kCannotRun);
}

[[noreturn]] void keep_time(const Prepared& prepared) {
  const HookCall& call = prepared.call;
  ::setpgid(0, 0);
  reset_signals();
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int pidfd = -1;
  const pid_t hook = os::clone_child({}, &pidfd);
  if (hook == 0) become_hook(prepared);
  if (hook < 0) ::dprintf(call.output, "cannot be started: %s", strerrordesc_np(-hook));
  if (hook < 0) ::_exit(kCannotRun);
  close_all_but(pidfd, call.late);
  pollfd end{.fd = pidfd, .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = ::poll(&end, 1, call.hook.timeout_milliseconds());
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) {
    const uint64_t once = 1;
    (void)!::write(call.late, &once, sizeof once);
    kill_family(hook);
    ::_exit(kCannotRun);
  }
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
  end_like(info);
}

}  // namespace

Result<os::ChildProcess> spawn_hook(const HookCall& call) {
  const plan::HookItem& hook = call.hook;
  const std::vector<std::string> args = hook.args.empty() ? std::vector{hook.path} : hook.args;
  const Prepared prepared{call, pointers(args), pointers(hook.env)};
  int pidfd = -1;
  const pid_t pid = os::clone_child({}, &pidfd);
  if (pid == 0 && call.late >= 0) keep_time(prepared);
  if (pid == 0) become_hook(prepared);
  if (pid < 0) return system_error(-pid, "start hook {}", hook.path);
  return os::ChildProcess(pid, os::UniqueFd(pidfd));
}

}  // namespace berth::hooks
