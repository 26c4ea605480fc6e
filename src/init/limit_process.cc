// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/step.h"

namespace berth::init {
namespace {

constexpr int kFirstFd = 3;
constexpr unsigned long kTimerSlack = 50'000;  // nanoseconds: the kernel's own default

int set_memory_policy(const plan::MemoryPolicyPlan& plan) {
  // The kernel takes one from the number of bits.
  const unsigned long bits = plan.nodes.empty() ? 0 : plan.nodes.size() * 64 + 1;
  return ::syscall(SYS_set_mempolicy, plan.mode, plan.nodes.data(), bits) < 0 ? -errno : 0;
}

// What the caller happens to have is not the container's: a fork and an execve hand it on.
void reset_inherited() {
  (void)::prctl(PR_SET_TIMERSLACK, kTimerSlack, 0, 0, 0);
  (void)::prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
}

// One of the first three may be asked for in another's place: all are copied before one is
// overwritten. The copies are closed with what is foreign.
StepResult take_streams(const PreparedProcess& prepared) {
  int copies[3] = {-1, -1, -1};
  for (int fd = 0; fd < kFirstFd; ++fd) {
    if (prepared.streams[fd] < 0) continue;
    copies[fd] = ::fcntl(prepared.streams[fd], F_DUPFD_CLOEXEC, kFirstFd);
    if (copies[fd] < 0) return failure(Step::CloseDescriptors, errno, fd);
  }
  for (int fd = 0; fd < kFirstFd; ++fd) {
    if (copies[fd] >= 0 && ::dup2(copies[fd], fd) < 0)
      return failure(Step::CloseDescriptors, errno, fd);
  }
  return {};
}

}  // namespace

StepResult limit_process(ProcessContext& process) {
  const plan::ProcessPlan& plan = process.plan;
  reset_inherited();
  const bool changed = ::syscall(SYS_personality, plan.personality.value_or(0)) >= 0;
  if (!changed && plan.personality)
    return failure(Step::LimitProcess, errno, -1, Action::SetPersonality);
  if (!plan.memory_policy) return {};
  const int result = set_memory_policy(*plan.memory_policy);
  if (result < 0) return failure(Step::LimitProcess, result, -1, Action::SetMemoryPolicy);
  return {};
}

// First of all: the host's directories and locks must not live on in the child, nor be reached
// through it. A container that waits for `start` would keep its own record locked.
StepResult close_foreign(ProcessContext& process) {
  TRY(take_streams(process.prepared));
  unsigned next = kFirstFd;
  for (const int fd : process.prepared.kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number > next && ::syscall(SYS_close_range, next, number - 1, 0) < 0)
      return failure(Step::CloseDescriptors, errno);
    if (number >= next) next = number + 1;
  }
  if (::syscall(SYS_close_range, next, ~0U, 0) < 0) return failure(Step::CloseDescriptors, errno);
  return {};
}

// Only what was asked for crosses into the program; the channel and the gate are close-on-exec by
// themselves.
StepResult close_descriptors(ProcessContext& process) {
  const int kept = process.plan.preserve_fds;
  for (int fd = kFirstFd; fd < kFirstFd + kept; ++fd) {
    if (::fcntl(fd, F_SETFD, 0) < 0) return failure(Step::CloseDescriptors, errno, fd);
  }
  if (::syscall(SYS_close_range, kFirstFd + kept, ~0U, CLOSE_RANGE_CLOEXEC) == 0) return {};
  // Linux 5.10 knows close_range, but not this flag (5.11).
  for (int fd = kFirstFd + kept; fd < 1024; ++fd) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
  return {};
}

}  // namespace berth::init
