// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/step.h"

namespace berth::init {
namespace {

constexpr int kFirstFd = 3;
constexpr int kIoprioWhoProcess = 1;

// The kernel's structure, first version (48 bytes); glibc has none.
struct SchedAttr {
  uint32_t size;
  uint32_t policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime;
  uint64_t deadline;
  uint64_t period;
};
static_assert(sizeof(SchedAttr) == 48);

int set_scheduler(const plan::SchedulerPlan& plan) {
  const SchedAttr attributes{.size = sizeof attributes,
                             .policy = plan.policy,
                             .flags = plan.flags,
                             .nice = plan.nice,
                             .priority = plan.priority,
                             .runtime = plan.runtime,
                             .deadline = plan.deadline,
                             .period = plan.period};
  return ::syscall(SYS_sched_setattr, 0, &attributes, 0) < 0 ? -errno : 0;
}

}  // namespace

StepResult limit_process(ProcessContext& process) {
  const plan::ProcessPlan& plan = process.plan;
  if (plan.scheduler) {
    const int result = set_scheduler(*plan.scheduler);
    if (result < 0) return failure(Step::LimitProcess, result, -1, Action::SetScheduler);
  }
  if (plan.io_priority && ::syscall(SYS_ioprio_set, kIoprioWhoProcess, 0, *plan.io_priority) < 0) {
    return failure(Step::LimitProcess, errno, -1, Action::SetIoPriority);
  }
  if (plan.personality && ::syscall(SYS_personality, *plan.personality) < 0) {
    return failure(Step::LimitProcess, errno, -1, Action::SetPersonality);
  }
  return {};
}

// First of all: the host's directories and locks must not live on in the child, nor be reached
// through it. A container that waits for `start` would keep its own record locked.
StepResult close_foreign(ProcessContext& process) {
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
