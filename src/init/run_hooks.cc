// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "init/step.h"
#include "sync/protocol.h"

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

struct HookFiles {
  int input;
  int output;
  int failed;  // the end of a pipe that execve closes
};

[[noreturn]] void become_hook(const PreparedHook& hook, const plan::HookItem& item,
                              const HookFiles& files) {
  ::dup2(files.input, 0);
  if (files.output >= 0) {
    ::dup2(files.output, 1);
    ::dup2(files.output, 2);
  }
  ::execve(item.path.c_str(), hook.argv.data(), hook.envp.data());
  const int problem = errno;
  (void)!::write(files.failed, &problem, sizeof problem);
  ::_exit(127);
}

// 0 once the hook executes, else the errno of its execve.
int await_execve(int failed) {
  int problem = 0;
  ssize_t size;
  do {
    size = ::read(failed, &problem, sizeof problem);
  } while (size < 0 && errno == EINTR);
  return size == sizeof problem ? problem : 0;
}

struct Running {
  long pid;
  int pidfd;
};

// 1: it has ended; 0: its time is over; else -errno.
int await_end(int pidfd, const plan::HookItem& item) {
  if (!item.timeout_seconds) return 1;
  pollfd poll{.fd = pidfd, .events = POLLIN, .revents = 0};
  int ready;
  do {
    ready = ::poll(&poll, 1, item.timeout_milliseconds());
  } while (ready < 0 && errno == EINTR);
  return ready < 0 ? -errno : ready;
}

// Which hook of which step.
struct Place {
  Step step;
  int index;
};

StepResult wait_for_hook(const Running& hook, const plan::HookItem& item, Place place) {
  const auto [step, index] = place;
  const int ready = await_end(hook.pidfd, item);
  if (ready <= 0) {
    // The filter may refuse any of these calls. Whatever the hook has left ends with the container,
    // which fails now: waiting for it could last for ever.
    if (::syscall(SYS_pidfd_send_signal, hook.pidfd, SIGKILL, nullptr, 0) < 0)
      (void)::syscall(SYS_kill, hook.pid, SIGKILL);
    return ready == 0 ? failure(step, ETIMEDOUT, index, Action::HookTimeout)
                      : failure(step, ready, index, Action::RunHook);
  }
  siginfo_t info{};
  int result;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(hook.pidfd), &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return failure(step, errno, index, Action::RunHook);
  if (info.si_code != CLD_EXITED) return failure(step, info.si_status, index, Action::HookSignal);
  if (info.si_status != 0) return failure(step, info.si_status, index, Action::HookExit);
  return {};
}

// The error is of one hook: what the ones before have written is not part of it.
void forget_output(int output) {
  if (output < 0 || ::ftruncate(output, 0) < 0) return;
  (void)::lseek(output, 0, SEEK_SET);
}

StepResult run_hook(InitContext& init, const PreparedHook& prepared, const plan::HookItem& item,
                    Place place, const PreparedState& state) {
  const auto [step, index] = place;
  const os::UniqueFd input(open_state(state));
  if (!input) return failure(step, input.get(), index, Action::RunHook);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return failure(step, errno, index, Action::RunHook);
  const os::UniqueFd failed(ends[0]);
  os::UniqueFd writer(ends[1]);
  const HookFiles files{input.get(), init.prepared.hook_output, writer.get()};
  forget_output(files.output);
  // clone, not clone3: common seccomp profiles answer ENOSYS for the latter, and the filter is
  // loaded by now.
  int pidfd = -1;
  const long pid = ::syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, nullptr, &pidfd, nullptr, nullptr);
  if (pid == 0) become_hook(prepared, item, files);
  if (pid < 0) return failure(step, errno, index, Action::RunHook);
  const os::UniqueFd handle(pidfd);
  writer.reset();
  const int problem = await_execve(failed.get());
  if (problem != 0) return failure(step, problem, index, Action::RunHook);
  return wait_for_hook({pid, pidfd}, item, place);
}

}  // namespace

StepResult run_hooks(InitContext& init, Step step, const std::vector<PreparedHook>& hooks,
                     const std::vector<plan::HookItem>& items, const PreparedState& state) {
  for (size_t index = 0; index < items.size(); ++index)
    TRY(run_hook(init, hooks[index], items[index], {step, static_cast<int>(index)}, state));
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

void leave_failure(const PreparedInit& prepared, const Failure& failure) {
  char words[sync::kGateOutput + sizeof failure];
  ssize_t size = 0;
  if (failure.step == Step::RunStartHooks && ::lseek(prepared.hook_output, 0, SEEK_SET) == 0)
    size = ::read(prepared.hook_output, words, sync::kGateOutput);
  if (size < 0) size = 0;
  memcpy(words + size, &failure, sizeof failure);
  (void)!::write(prepared.gate, words, static_cast<size_t>(size) + sizeof failure);
}

}  // namespace berth::init
