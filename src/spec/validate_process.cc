// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>

#include "berth/try.h"
#include "spec/read_spec.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

constexpr std::string_view kRlimits[] = {
    "RLIMIT_AS",     "RLIMIT_CORE",   "RLIMIT_CPU",        "RLIMIT_DATA",
    "RLIMIT_FSIZE",  "RLIMIT_LOCKS",  "RLIMIT_MEMLOCK",    "RLIMIT_MSGQUEUE",
    "RLIMIT_NICE",   "RLIMIT_NOFILE", "RLIMIT_NPROC",      "RLIMIT_RSS",
    "RLIMIT_RTPRIO", "RLIMIT_RTTIME", "RLIMIT_SIGPENDING", "RLIMIT_STACK"};
constexpr std::string_view kPolicies[] = {"SCHED_OTHER", "SCHED_FIFO", "SCHED_RR",
                                          "SCHED_BATCH", "SCHED_IDLE", "SCHED_DEADLINE"};
constexpr std::string_view kSchedulerFlags[] = {
    "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM",     "SCHED_FLAG_DL_OVERRUN",
    "SCHED_FLAG_KEEP_POLICY",   "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN",
    "SCHED_FLAG_UTIL_CLAMP_MAX"};
constexpr std::string_view kIoClasses[] = {"IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE",
                                           "IOPRIO_CLASS_IDLE"};

bool is_one_of(std::string_view text, std::span<const std::string_view> known) {
  return std::ranges::find(known, text) != known.end();
}

// The pointer of the process ("/process", or "" for a file of its own) with which each rule's
// pointer begins.
struct Subject {
  const Process& process;
  std::string_view pointer;

  template <typename... Args>
  std::unexpected<Error> bad(std::string_view member, fmt::format_string<const Args&...> text,
                             const Args&... args) const {
    return invalid(std::string(pointer) + std::string(member), text, args...);
  }
};

Result<> program_is_given(const Subject& subject) {
  if (!subject.process.cwd.starts_with('/')) return subject.bad("/cwd", "must be an absolute path");
  if (subject.process.args.empty()) return subject.bad("/args", "must not be empty");
  for (size_t i = 0; i < subject.process.env.size(); ++i) {
    const size_t equals = subject.process.env[i].find('=');
    if (equals == 0 || equals == std::string::npos)
      return subject.bad(formatted("/env/{}", i), "invalid environment variable: not NAME=VALUE");
  }
  return {};
}

Result<> ids_are_real(const Subject& subject) {
  const User& user = subject.process.user;
  if (user.uid == kNoId) return subject.bad("/user/uid", "{} is not a user", kNoId);
  if (user.gid == kNoId) return subject.bad("/user/gid", "{} is not a group", kNoId);
  if (user.umask.value_or(0) > 0777)
    return subject.bad("/user/umask", "must be at most 511 (0777)");
  for (size_t i = 0; i < user.additional_gids.size(); ++i) {
    if (user.additional_gids[i] == kNoId) {
      return subject.bad(formatted("/user/additionalGids/{}", i), "{} is not a group", kNoId);
    }
  }
  return {};
}

Result<> rlimits_are_sound(const Subject& subject) {
  const auto& rlimits = subject.process.rlimits;
  for (size_t i = 0; i < rlimits.size(); ++i) {
    const std::string at = formatted("/rlimits/{}", i);
    if (!is_one_of(rlimits[i].type, kRlimits))
      return subject.bad(at + "/type", "unknown limit \"{}\"", rlimits[i].type);
    if (rlimits[i].soft > rlimits[i].hard)
      return subject.bad(at + "/soft", "greater than the hard limit");
    for (size_t j = 0; j < i; ++j) {
      if (rlimits[j].type == rlimits[i].type)
        return subject.bad(at + "/type", "{} is given twice", rlimits[i].type);
    }
  }
  return {};
}

Result<> scheduler_has_its_own_values(const Subject& subject, const Scheduler& scheduler) {
  const bool fair = scheduler.policy == "SCHED_OTHER" || scheduler.policy == "SCHED_BATCH";
  const bool real_time = scheduler.policy == "SCHED_FIFO" || scheduler.policy == "SCHED_RR";
  const bool deadline = scheduler.policy == "SCHED_DEADLINE";
  if (scheduler.nice != 0 && !fair)
    return subject.bad("/scheduler/nice", "only for SCHED_OTHER and SCHED_BATCH");
  if (scheduler.nice < -20 || scheduler.nice > 19)
    return subject.bad("/scheduler/nice", "must be from -20 to 19");
  if (scheduler.priority != 0 && !real_time) {
    return subject.bad("/scheduler/priority", "only for SCHED_FIFO and SCHED_RR");
  }
  if (real_time && (scheduler.priority < 1 || scheduler.priority > 99)) {
    return subject.bad("/scheduler/priority", "must be from 1 to 99");
  }
  const bool times = scheduler.runtime != 0 || scheduler.deadline != 0 || scheduler.period != 0;
  if (times && !deadline) {
    return subject.bad("/scheduler", "runtime, deadline and period are only for SCHED_DEADLINE");
  }
  if (!deadline) return {};
  if (scheduler.runtime == 0) return subject.bad("/scheduler/runtime", "must be greater than 0");
  if (scheduler.runtime > scheduler.deadline)
    return subject.bad("/scheduler/deadline", "less than the runtime");
  if (scheduler.period != 0 && scheduler.deadline > scheduler.period) {
    return subject.bad("/scheduler/period", "less than the deadline");
  }
  return {};
}

Result<> scheduler_is_sound(const Subject& subject) {
  if (!subject.process.scheduler) return {};
  const Scheduler& scheduler = *subject.process.scheduler;
  if (scheduler.policy == "SCHED_ISO")
    return subject.bad("/scheduler/policy", "Linux has no SCHED_ISO");
  if (!is_one_of(scheduler.policy, kPolicies)) {
    return subject.bad("/scheduler/policy", "unknown policy \"{}\"", scheduler.policy);
  }
  for (size_t i = 0; i < scheduler.flags.size(); ++i) {
    if (is_one_of(scheduler.flags[i], kSchedulerFlags)) continue;
    return subject.bad(formatted("/scheduler/flags/{}", i), "unknown flag \"{}\"",
                       scheduler.flags[i]);
  }
  return scheduler_has_its_own_values(subject, scheduler);
}

Result<> priorities_are_in_range(const Subject& subject) {
  const Process& process = subject.process;
  if (process.oom_score_adj && (*process.oom_score_adj < -1000 || *process.oom_score_adj > 1000)) {
    return subject.bad("/oomScoreAdj", "must be from -1000 to 1000");
  }
  if (!process.io_priority) return {};
  if (!is_one_of(process.io_priority->io_class, kIoClasses)) {
    return subject.bad("/ioPriority/class", "unknown class \"{}\"", process.io_priority->io_class);
  }
  if (process.io_priority->priority < 0 || process.io_priority->priority > 7) {
    return subject.bad("/ioPriority/priority", "must be from 0 to 7");
  }
  return {};
}

Result<> affinities_are_lists(const Subject& subject) {
  if (!subject.process.exec_cpu_affinity) return {};
  constexpr std::string_view kAllowed = "0123456789,- ";
  if (subject.process.exec_cpu_affinity->initial.find_first_not_of(kAllowed) != std::string::npos) {
    return subject.bad("/execCPUAffinity/initial", "not a list of CPUs");
  }
  if (subject.process.exec_cpu_affinity->final.find_first_not_of(kAllowed) != std::string::npos) {
    return subject.bad("/execCPUAffinity/final", "not a list of CPUs");
  }
  return {};
}

// Labels are written to files of /proc, where a line end would start another command.
Result<> labels_are_one_line(const Subject& subject) {
  if (has_control_character(subject.process.apparmor_profile)) {
    return subject.bad("/apparmorProfile", "has a control character");
  }
  if (has_control_character(subject.process.selinux_label)) {
    return subject.bad("/selinuxLabel", "has a control character");
  }
  return {};
}

}  // namespace

Result<> validate_attributes(const Process& process, std::string_view pointer) {
  const Subject subject{process, pointer};
  TRY(rlimits_are_sound(subject));
  TRY(scheduler_is_sound(subject));
  TRY(priorities_are_in_range(subject));
  return affinities_are_lists(subject);
}

Result<> validate_process(const Process& process, std::string_view pointer) {
  const Subject subject{process, pointer};
  TRY(program_is_given(subject));
  TRY(ids_are_real(subject));
  TRY(validate_attributes(process, pointer));
  return labels_are_one_line(subject);
}

}  // namespace berth::spec
