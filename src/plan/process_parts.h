// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "plan/make_plan.h"

// The pieces of plan_process.
namespace berth::plan {

// Whose process it is, and where it was written.
struct ProcessSource {
  const spec::Process& process;
  const spec::Spec& spec;
  const HostFacts& facts;
  std::string_view pointer;  // "/process", or empty for a file of its own
  std::vector<std::string>& warnings;
};

CapabilityPlan plan_capabilities(const ProcessSource& source);
Result<std::vector<RlimitItem>> plan_rlimits(const ProcessSource& source);
// scheduler, ioPriority, personality, memoryPolicy, oomScoreAdj.
Result<> plan_priorities(const ProcessSource& source, ProcessPlan& plan);
// execCPUAffinity: of exec only.
Result<> plan_affinity(const spec::ExecCpuAffinity& wanted, ProcessPlan& plan);
// linux.memoryPolicy.
Result<std::optional<MemoryPolicyPlan>> plan_memory_policy(const spec::Spec& spec);
// "0-3,7" as bits, 64 to a word; nullopt when it is no such list, or names a number from limit up.
std::optional<std::vector<uint64_t>> parse_number_set(std::string_view text, uint32_t limit);
// The annotations run.berth.*.
Result<ConfinementPlan> plan_confinement(const ProcessSource& source);
// apparmorProfile, selinuxLabel.
Result<> plan_labels(const ProcessSource& source, ProcessPlan& plan);

}  // namespace berth::plan
