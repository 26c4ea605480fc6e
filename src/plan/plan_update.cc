// SPDX-License-Identifier: Apache-2.0
#include <string_view>

#include "berth/try.h"
#include "plan/make_plan.h"
#include "plan/process_parts.h"
#include "spec/read_spec.h"

namespace berth::plan {

Result<std::vector<CgroupWrite>> plan_update_writes(const spec::Resources& resources, bool v2,
                                                    bool force,
                                                    std::vector<std::string>& warnings) {
  std::vector<CgroupWrite> writes =
      TRY(v2 ? plan_cgroup_v2(resources, warnings) : plan_cgroup_v1(resources, warnings));
  // What a new cgroup has anyway, an old one may have to be told.
  if (!v2 && resources.memory && resources.memory->disable_oom_killer == false)
    writes.push_back({.controller = "memory",
                      .file = "memory.oom_control",
                      .value = "0",
                      .pointer = "/linux/resources/memory/disableOOMKiller"});
  for (CgroupWrite& write : writes) {
    write.make_room = write.file == "memory.max" && !force;
    if (force) write.not_below.clear();
  }
  return writes;
}

Result<ProcessPlan> plan_attributes(const ProcessAttributes& changes) {
  spec::Process process{.rlimits = changes.rlimits,
                        .oom_score_adj = changes.oom_score_adj,
                        .scheduler = changes.scheduler,
                        .io_priority = changes.io_priority};
  if (!changes.cpu_affinity.empty())
    process.exec_cpu_affinity.emplace().final = changes.cpu_affinity;
  TRY(spec::validate_attributes(process, "/process"));
  ProcessPlan plan{.pointer = "/process"};
  std::vector<std::string> warnings;
  const spec::Spec no_config;
  const HostFacts no_facts;
  const ProcessSource source{process, no_config, no_facts, plan.pointer, warnings};
  plan.rlimits = TRY(plan_rlimits(source));
  TRY(plan_priorities(source, plan));
  if (process.exec_cpu_affinity) TRY(plan_affinity(*process.exec_cpu_affinity, plan));
  return plan;
}

}  // namespace berth::plan
