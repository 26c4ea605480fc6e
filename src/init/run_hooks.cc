// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>

#include "init/hook_keeper.h"
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

// 0 once the hook executes, else the errno of its execve.
int await_execve(int failed) {
  int problem = 0;
  ssize_t size;
  do {
    size = ::read(failed, &problem, sizeof problem);
  } while (size < 0 && errno == EINTR);
  return size == sizeof problem ? problem : 0;
}

// Which hook of which step.
struct Place {
  Step step;
  int index;
};

StepResult wait_for_hook(const RunningHook& hook, int limit, Place place) {
  const auto [step, index] = place;
  siginfo_t info{};
  const int result = await_hook(hook, limit, &info);
  if (result == -ETIMEDOUT) return failure(step, ETIMEDOUT, index, Action::HookTimeout);
  if (result < 0) return failure(step, result, index, Action::RunHook);
  if (info.si_code != CLD_EXITED) return failure(step, info.si_status, index, Action::HookSignal);
  if (info.si_status != 0) return failure(step, info.si_status, index, Action::HookExit);
  return {};
}

int make_alarm() {
  return static_cast<int>(::syscall(SYS_eventfd2, 0, EFD_CLOEXEC | EFD_NONBLOCK));
}

// Why the keeper has ended a hook.
StepResult hear_keeper(int late, Place place) {
  uint64_t reason = 0;
  if (late < 0 || ::read(late, &reason, sizeof reason) != sizeof reason) return {};
  const int error = static_cast<int>(reason);
  return failure(place.step, error, place.index,
                 error == ETIMEDOUT ? Action::HookTimeout : Action::RunHook);
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
  const bool kept = item.timeout_seconds && init.prepared.processes >= 0;
  const os::UniqueFd late(kept ? make_alarm() : -1);
  const HookFiles files{input.get(), init.prepared.hook_output, writer.get(), late.get()};
  forget_output(files.output);
  int pidfd = -1;
  const long pid = clone_hook(&pidfd);
  if (pid == 0 && late) keep_time(init.prepared, prepared, item, files);
  if (pid == 0) become_hook(prepared, item, files);
  if (pid < 0) return failure(step, static_cast<int>(pid), index, Action::RunHook);
  const os::UniqueFd handle(pidfd);
  writer.reset();
  const int problem = await_execve(failed.get());
  if (problem != 0) return failure(step, problem, index, Action::RunHook);
  const StepResult ended =
      wait_for_hook({pid, pidfd}, late ? -1 : item.timeout_milliseconds(), place);
  TRY(hear_keeper(late.get(), place));
  return ended;
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
