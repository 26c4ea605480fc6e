// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "berth/error.h"
#include "engine/held_process.h"
#include "os/priority.h"
#include "plan/plan.h"

namespace berth::engine {

// Gives all processes and threads of a running container other attributes (plan_attributes), and
// remembers what they had. Those that begin meanwhile are found too: it looks until it finds no new
// one. Those that end meanwhile are left out. Resource limits come last: who lacks CAP_SYS_RESOURCE
// cannot take them back.
class ProcessChange {
 public:
  // `members`: the pids of the container, now.
  using Members = std::function<Result<std::vector<pid_t>>()>;
  ProcessChange(const plan::ProcessPlan& plan, Members members)
      : plan_(plan), members_(std::move(members)) {}

  [[gnu::cold]] Result<> apply();
  [[gnu::cold]] Result<> undo();

 private:
  // Each member as it was before, as far as it is changed.
  struct Thread {
    pid_t id = 0;
    std::optional<os::SchedulerAttributes> scheduler = {};
    std::optional<int> io_priority = {};
    std::vector<uint64_t> cpus = {};
  };
  struct Process {
    HeldProcess held;
    std::string oom_score_adj = {};
    std::vector<plan::RlimitItem> rlimits = {};
    std::vector<Thread> threads = {};
  };

  bool knows(pid_t pid) const;
  [[gnu::cold]] Result<> change_until_known(bool with_rlimits);
  Result<bool> find_new();
  Result<bool> change_threads(Process& process);
  Result<> change(Process& process);
  Result<> limit(Process& process);
  Result<> change(const Process& process, Thread& thread);
  static Result<> undo(const Process& process);
  static Result<> undo(const Process& process, const Thread& thread);

  plan::ProcessPlan plan_;
  Members members_;
  std::vector<Process> processes_ = {};
};

}  // namespace berth::engine
