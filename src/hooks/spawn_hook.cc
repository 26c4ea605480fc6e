// SPDX-License-Identifier: Apache-2.0
#include "hooks/spawn_hook.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <vector>

#include "core/context.h"
#include "os/family.h"
#include "os/program.h"

// The children may be of a program with many threads: up to their execve they allocate nothing.
namespace berth::hooks {
namespace {

constexpr int kCannotRun = 127;

struct Prepared {
  const HookCall& call;
  std::vector<char*> argv;
  std::vector<char*> envp;
};

// Not dprintf: it allocates, and takes a lock.
void say(int output, std::string_view what, int error) {
  const char* why = strerrordesc_np(error);
  if (why == nullptr) why = "unknown error";
  const iovec parts[] = {{.iov_base = const_cast<char*>(what.data()), .iov_len = what.size()},
                         {.iov_base = const_cast<char*>(why), .iov_len = strlen(why)}};
  (void)!::writev(output, parts, std::size(parts));
}

[[noreturn]] void become_hook(const Prepared& prepared) {
  const HookCall& call = prepared.call;
  ::setpgid(0, 0);
  os::reset_signals();
  const bool ready = ::dup2(call.input, 0) >= 0 && ::dup2(call.output, 1) >= 0 &&
                     ::dup2(call.output, 2) >= 0 && ::chdir(call.directory.c_str()) == 0;
  if (ready) ::execve(call.hook.path.c_str(), prepared.argv.data(), prepared.envp.data());
  say(2, "cannot be run: ", errno);
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
  os::reset_signals();
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int pidfd = -1;
  const pid_t hook = os::clone_child({}, &pidfd);
  if (hook == 0) become_hook(prepared);
  if (hook < 0) say(call.output, "cannot be started: ", -hook);
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
    const os::UniqueFd processes(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    os::kill_family(hook, processes.get());
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
  const Prepared prepared{call, os::pointers(args), os::pointers(hook.env)};
  int pidfd = -1;
  const pid_t pid = os::clone_child({}, &pidfd);
  if (pid == 0 && call.late >= 0) keep_time(prepared);
  if (pid == 0) become_hook(prepared);
  if (pid < 0) return system_error(-pid, "start hook {}", hook.path);
  return os::ChildProcess(pid, os::UniqueFd(pidfd));
}

}  // namespace berth::hooks
