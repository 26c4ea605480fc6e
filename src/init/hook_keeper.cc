// SPDX-License-Identifier: Apache-2.0
#include "init/hook_keeper.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/family.h"

namespace berth::init {
namespace {

constexpr int kCannotRun = 127;

// 1: it has ended; 0: its time is over; else -errno.
int await_end(int pidfd, int limit) {
  if (limit < 0) return 1;
  pollfd poll{.fd = pidfd, .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = ::poll(&poll, 1, limit);
  } while (ready < 0 && errno == EINTR);
  return ready < 0 ? -errno : ready;
}

// Ends as the hook did, without a second core file.
[[noreturn]] void end_like(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) ::_exit(info.si_status);
  (void)::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  (void)::syscall(SYS_kill, ::getpid(), info.si_status);
  ::_exit(kCannotRun);
}

}  // namespace

void become_hook(const PreparedHook& hook, const plan::HookItem& item, const HookFiles& files) {
  ::dup2(files.input, 0);
  if (files.output >= 0) {
    ::dup2(files.output, 1);
    ::dup2(files.output, 2);
  }
  ::execve(item.path.c_str(), hook.argv.data(), hook.envp.data());
  const int problem = errno;
  (void)!::write(files.failed, &problem, sizeof problem);
  ::_exit(kCannotRun);
}

long clone_hook(int* pidfd) {
  const long pid = ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, nullptr, pidfd, nullptr, nullptr);
  return pid < 0 ? -errno : pid;
}

int await_hook(const RunningHook& hook, int limit, siginfo_t* info) {
  const int ready = await_end(hook.pidfd, limit);
  if (ready <= 0) {
    // The filter may refuse any of these calls. Waiting for it could last for ever.
    if (::syscall(SYS_pidfd_send_signal, hook.pidfd, SIGKILL, nullptr, 0) < 0)
      (void)::syscall(SYS_kill, hook.pid, SIGKILL);
    return ready == 0 ? -ETIMEDOUT : ready;
  }
  int result;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(hook.pidfd), info, WEXITED);
  } while (result < 0 && errno == EINTR);
  return result < 0 ? -errno : 0;
}

void keep_time(const PreparedInit& init, const PreparedHook& hook, const plan::HookItem& item,
               const HookFiles& files) {
  // Who listens there must see the end of init.
  for (const int fd : {init.gate, init.process.channel}) ::close(fd);
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int pidfd = -1;
  const long pid = clone_hook(&pidfd);
  if (pid == 0) become_hook(hook, item, files);
  if (pid < 0) {
    const int problem = static_cast<int>(-pid);
    (void)!::write(files.failed, &problem, sizeof problem);
    ::_exit(kCannotRun);
  }
  ::close(files.failed);
  siginfo_t info{};
  const int result = await_hook({pid, pidfd}, item.timeout_milliseconds(), &info);
  if (result == 0) end_like(info);
  const auto reason = static_cast<uint64_t>(-result);
  (void)!::write(files.late, &reason, sizeof reason);
  if (result == -ETIMEDOUT) os::kill_family(static_cast<pid_t>(pid), init.processes);
  ::_exit(kCannotRun);
}

}  // namespace berth::init
