// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>
#include <linux/sched.h>
#include <sys/personality.h>
#include <sys/resource.h>

#include <algorithm>
#include <optional>
#include <span>

#include "berth/try.h"
#include "plan/process_parts.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

// linux/ioprio.h, which C++ can not read.
constexpr int kIoClassShift = 13;

struct Name {
  std::string_view text;
  uint64_t value;
};

constexpr Name kRlimits[] = {{"RLIMIT_AS", RLIMIT_AS},
                             {"RLIMIT_CORE", RLIMIT_CORE},
                             {"RLIMIT_CPU", RLIMIT_CPU},
                             {"RLIMIT_DATA", RLIMIT_DATA},
                             {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                             {"RLIMIT_LOCKS", 10},
                             {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                             {"RLIMIT_MSGQUEUE", 12},
                             {"RLIMIT_NICE", 13},
                             {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                             {"RLIMIT_NPROC", RLIMIT_NPROC},
                             {"RLIMIT_RSS", RLIMIT_RSS},
                             {"RLIMIT_RTPRIO", 14},
                             {"RLIMIT_RTTIME", 15},
                             {"RLIMIT_SIGPENDING", 11},
                             {"RLIMIT_STACK", RLIMIT_STACK}};
constexpr Name kPolicies[] = {{"SCHED_OTHER", SCHED_NORMAL}, {"SCHED_FIFO", SCHED_FIFO},
                              {"SCHED_RR", SCHED_RR},        {"SCHED_BATCH", SCHED_BATCH},
                              {"SCHED_IDLE", SCHED_IDLE},    {"SCHED_DEADLINE", SCHED_DEADLINE}};
constexpr Name kSchedulerFlags[] = {{"SCHED_FLAG_RESET_ON_FORK", SCHED_FLAG_RESET_ON_FORK},
                                    {"SCHED_FLAG_RECLAIM", SCHED_FLAG_RECLAIM},
                                    {"SCHED_FLAG_DL_OVERRUN", SCHED_FLAG_DL_OVERRUN},
                                    {"SCHED_FLAG_KEEP_POLICY", SCHED_FLAG_KEEP_POLICY},
                                    {"SCHED_FLAG_KEEP_PARAMS", SCHED_FLAG_KEEP_PARAMS},
                                    {"SCHED_FLAG_UTIL_CLAMP_MIN", SCHED_FLAG_UTIL_CLAMP_MIN},
                                    {"SCHED_FLAG_UTIL_CLAMP_MAX", SCHED_FLAG_UTIL_CLAMP_MAX}};
constexpr Name kIoClasses[] = {
    {"IOPRIO_CLASS_RT", 1}, {"IOPRIO_CLASS_BE", 2}, {"IOPRIO_CLASS_IDLE", 3}};
constexpr Name kDomains[] = {{"LINUX", PER_LINUX}, {"LINUX32", PER_LINUX32}};

Result<uint64_t> number_of(std::span<const Name> names, const std::string& text,
                           const std::string& pointer) {
  const auto found = std::ranges::find(names, text, &Name::text);
  if (found != names.end()) return found->value;
  return refuse(pointer, ErrorKind::InvalidConfig, "unknown value {}", text);
}

Result<SchedulerPlan> plan_scheduler(const spec::Scheduler& wanted, const std::string& pointer) {
  SchedulerPlan plan{
      .policy = static_cast<uint32_t>(
          TRY(number_of(kPolicies, wanted.policy, pointer + "/policy"))),
      .nice = wanted.nice,
      .priority = static_cast<uint32_t>(wanted.priority),
      .runtime = wanted.runtime,
      .deadline = wanted.deadline,
      .period = wanted.period};
  for (size_t i = 0; i < wanted.flags.size(); ++i) {
    plan.flags |=
        TRY(number_of(kSchedulerFlags, wanted.flags[i], formatted("{}/flags/{}", pointer, i)));
  }
  return plan;
}

// A process of that policy can not fork unless its children are of another.
Result<> check_hooks_can_run(const ProcessSource& source) {
  const std::optional<spec::Scheduler>& scheduler = source.process.scheduler;
  const bool of_init = !source.pointer.empty();
  if (!of_init || !scheduler || scheduler->policy != "SCHED_DEADLINE") return {};
  if (source.spec.hooks.start_container.empty()) return {};
  if (std::ranges::find(scheduler->flags, "SCHED_FLAG_RESET_ON_FORK") != scheduler->flags.end())
    return {};
  return refuse(formatted("{}/scheduler/flags", source.pointer), ErrorKind::InvalidConfig,
                "startContainer hooks cannot be run by a process of SCHED_DEADLINE: add "
                "SCHED_FLAG_RESET_ON_FORK");
}

Result<std::optional<unsigned long>> plan_personality(const spec::Spec& spec) {
  if (!spec.platform.personality) return std::nullopt;
  const spec::Personality& wanted = *spec.platform.personality;
  if (!wanted.flags.empty()) {
    return refuse("/linux/personality/flags", ErrorKind::Unsupported,
                  "the specification defines no flag of a personality");
  }
  return TRY(number_of(kDomains, wanted.domain, "/linux/personality/domain"));
}

}  // namespace

Result<std::vector<RlimitItem>> plan_rlimits(const ProcessSource& source) {
  std::vector<RlimitItem> items;
  const std::vector<spec::Rlimit>& wanted = source.process.rlimits;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const std::string pointer = formatted("{}/rlimits/{}", source.pointer, i);
    items.push_back(
        {.resource = static_cast<int>(TRY(number_of(kRlimits, wanted[i].type, pointer + "/type"))),
         .limit = {.rlim_cur = wanted[i].soft, .rlim_max = wanted[i].hard},
         .pointer = pointer});
  }
  return items;
}

Result<> plan_priorities(const ProcessSource& source, ProcessPlan& plan) {
  const spec::Process& process = source.process;
  const std::string pointer(source.pointer);
  plan.oom_score_adj = process.oom_score_adj;
  plan.oom_score_may_be_denied = (source.facts.capabilities >> CAP_SYS_RESOURCE & 1) == 0;
  if (process.scheduler)
    plan.scheduler = TRY(plan_scheduler(*process.scheduler, pointer + "/scheduler"));
  if (process.io_priority) {
    const uint64_t io_class =
        TRY(number_of(kIoClasses, process.io_priority->io_class, pointer + "/ioPriority/class"));
    plan.io_priority = static_cast<int>(io_class << kIoClassShift) | process.io_priority->priority;
  }
  TRY(check_hooks_can_run(source));
  plan.personality = TRY(plan_personality(source.spec));
  plan.memory_policy = TRY(plan_memory_policy(source.spec));
  return {};
}

}  // namespace berth::plan
