// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "init/step.h"

namespace berth::init {
namespace {

constexpr int kStatePipeSize = 1 << 20;

bool write_all(int fd, const char* text, size_t size) {
  while (size > 0) {
    const ssize_t written = ::write(fd, text, size);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

// The state document in a pipe, to be read by the hook from its standard input. It must fit: nobody
// reads it yet.
int open_state(const PreparedState& state) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return -errno;
  const os::UniqueFd writer(ends[1]);
  const size_t size = state.before_pid.size() + state.after_pid.size();
  if (size > 60000) (void)::fcntl(ends[1], F_SETPIPE_SZ, kStatePipeSize);
  char pid[16];
  const char* end = std::to_chars(pid, pid + sizeof pid, ::getpid()).ptr;
  const bool written = size < kStatePipeSize - 64 &&
                       write_all(ends[1], state.before_pid.data(), state.before_pid.size()) &&
                       write_all(ends[1], pid, static_cast<size_t>(end - pid)) &&
                       write_all(ends[1], state.after_pid.data(), state.after_pid.size());
  if (written) return ends[0];
  ::close(ends[0]);
  return -E2BIG;
}

[[noreturn]] void become_hook(const PreparedHook& hook, const plan::HookItem& item, int input,
                              int output) {
  ::dup2(input, 0);
  if (output >= 0) {
    ::dup2(output, 1);
    ::dup2(output, 2);
  }
  ::execve(item.path.c_str(), hook.argv.data(), hook.envp.data());
  ::_exit(127);
}

StepResult wait_for_hook(int pidfd, const plan::HookItem& item, Step step, int index) {
  const int timeout = item.timeout_seconds ? *item.timeout_seconds * 1000 : -1;
  pollfd poll{.fd = pidfd, .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = ::poll(&poll, 1, timeout);
  } while (ready < 0 && errno == EINTR);
  if (ready == 0) (void)::syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, nullptr, 0);
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
  if (ready == 0) return failure(step, ETIMEDOUT, index, Action::HookTimeout);
  if (info.si_code != CLD_EXITED) return failure(step, info.si_status, index, Action::HookSignal);
  if (info.si_status != 0) return failure(step, info.si_status, index, Action::HookExit);
  return {};
}

}  // namespace

StepResult run_hooks(InitContext& init, Step step, const std::vector<PreparedHook>& hooks,
                     const std::vector<plan::HookItem>& items, const PreparedState& state) {
  for (size_t index = 0; index < items.size(); ++index) {
    const int number = static_cast<int>(index);
    const os::UniqueFd input(open_state(state));
    if (!input) return failure(step, input.get(), number, Action::RunHook);
    // clone, not clone3: common seccomp profiles answer ENOSYS for the latter, and the filter is
    // loaded by now.
    int pidfd = -1;
    const long pid = ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr);
    if (pid == 0) become_hook(hooks[index], items[index], input.get(), init.prepared.hook_output);
    if (pid < 0) return failure(step, errno, number, Action::RunHook);
    const os::UniqueFd handle(pidfd);
    TRY(wait_for_hook(handle.get(), items[index], step, number));
  }
  return {};
}

StepResult run_create_hooks(InitContext& init) {
  if (init.plan.create_container.empty()) return {};
  // Their working directory is the root file system, as the field has it.
  if (::fchdir(init.root) < 0) return failure(Step::RunCreateHooks, errno);
  return run_hooks(init, Step::RunCreateHooks, init.prepared.create_hooks,
                   init.plan.create_container, init.prepared.creating);
}

StepResult run_start_hooks(InitContext& init) {
  return run_hooks(init, Step::RunStartHooks, init.prepared.start_hooks, init.plan.start_container,
                   init.prepared.created);
}

}  // namespace berth::init
