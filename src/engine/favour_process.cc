// SPDX-License-Identifier: Apache-2.0
#include "engine/favour_process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/resource.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "os/priority.h"

namespace berth::engine {
namespace {

// What the caller's own nice value or policy is must not cross; without the right to raise a
// process it does.
Result<> set_scheduler(const plan::ProcessPlan& plan, pid_t process) {
  const plan::SchedulerPlan wanted = plan.scheduler.value_or(plan::SchedulerPlan{});
  const int result = os::set_scheduler(process, scheduler_attributes(wanted));
  if (result == 0 || !plan.scheduler) return {};
  return Result<>(system_error(-result, "set the scheduler{}",
                               result == -EPERM ? scheduler_hint(wanted.policy) : "")) |
         at(plan.pointer + "/scheduler");
}

Result<> set_io_priority(const plan::ProcessPlan& plan, pid_t process) {
  const int result = os::set_io_priority(process, plan.io_priority.value_or(0));
  if (result == 0 || !plan.io_priority) return {};
  return Result<>(system_error(-result, "set the I/O priority")) | at(plan.pointer + "/ioPriority");
}

}  // namespace

os::SchedulerAttributes scheduler_attributes(const plan::SchedulerPlan& plan) {
  return {.policy = plan.policy,
          .flags = plan.flags,
          .nice = plan.nice,
          .priority = plan.priority,
          .runtime = plan.runtime,
          .deadline = plan.deadline,
          .period = plan.period};
}

// Why the kernel says EPERM although the caller has every right.
const char* scheduler_hint(uint32_t policy) {
  switch (policy) {
    case SCHED_FIFO:
    case SCHED_RR:
      return " (with CONFIG_RT_GROUP_SCHED the cgroup needs /linux/resources/cpu/realtimeRuntime)";
    case SCHED_DEADLINE: return " (the kernel wants all CPUs for it: no cpuset)";
    default: return "";
  }
}

Result<> set_oom_score(const plan::ProcessPlan& plan, pid_t process) {
  if (!plan.oom_score_adj) return {};
  const std::string path = formatted("/proc/{}/oom_score_adj", process);
  Result<> result = os::write_file_at(AT_FDCWD, path.c_str(), std::to_string(*plan.oom_score_adj));
  if (!result && result.error().os_error() == EACCES && plan.oom_score_may_be_denied) return {};
  return std::move(result) | at(plan.pointer + "/oomScoreAdj");
}

Result<> favour_process(const plan::ProcessPlan& plan, pid_t process, bool with_rlimits) {
  TRY(set_scheduler(plan, process));
  TRY(set_io_priority(plan, process));
  if (!with_rlimits) return {};
  for (const plan::RlimitItem& item : plan.rlimits) {
    if (::prlimit(process, static_cast<__rlimit_resource>(item.resource), &item.limit, nullptr) < 0)
      return Result<>(system_error(errno, "set resource limit")) | at(item.pointer);
  }
  return {};
}

}  // namespace berth::engine
