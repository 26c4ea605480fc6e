// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "berth/error.h"
#include "plan/host_facts.h"
#include "plan/plan.h"
#include "spec/spec.h"

namespace berth::plan {

// What the caller of create asks beside config.json.
struct Request {
  std::string id = {};
  std::string bundle = {};  // absolute
  CgroupDriver cgroup_driver = CgroupDriver::Filesystem;
  bool rootless = false;
  bool no_pivot = false;
  bool no_new_keyring = false;
  int preserve_fds = 0;
};

// Fails with InvalidConfig or Unsupported, always with the pointer.
Result<Plan> make_plan(const spec::Spec& spec, const HostFacts& facts, const Request& request);
Result<EnterPlan> make_enter_plan(const spec::Spec& spec, const spec::Process& process,
                                  const HostFacts& facts, const Request& request);

// What is planned for a caller without privileges who names no user namespace: the same in one of
// its own. nullopt: as it is.
std::optional<spec::Spec> with_user_namespace(const spec::Spec& spec, const HostFacts& facts);

// Where a tree of tools may be mounted in a container: at `place`, or where nothing is missed.
std::vector<ToolPlace> plan_tool_places(std::string_view place);

// The planners, each pure, each with its own tests.
Result<NamespacePlan> plan_namespaces(const spec::Spec& spec, const HostFacts& facts);
Result<IdPlan> plan_ids(const spec::Spec& spec, const HostFacts& facts);
Result<> plan_mounts(const spec::Spec& spec, const HostFacts& facts, const Request& request,
                     Plan& plan);
Result<> plan_devices(const spec::Spec& spec, Plan& plan);
Result<ProcessPlan> plan_process(const spec::Process& process, const spec::Spec& spec,
                                 const HostFacts& facts, std::vector<std::string>& warnings);
Result<CgroupPlan> plan_cgroup(const spec::Spec& spec, const HostFacts& facts,
                               const Request& request, std::vector<std::string>& warnings);
// Only the writes: for `update`, from the resources of one object.
Result<std::vector<CgroupWrite>> plan_cgroup_v1(const spec::Resources& resources,
                                                std::vector<std::string>& warnings);
Result<std::vector<CgroupWrite>> plan_cgroup_v2(const spec::Resources& resources,
                                                std::vector<std::string>& warnings);
// What an update writes. Without `force`, memory.max is not set below the usage.
Result<std::vector<CgroupWrite>> plan_update_writes(const spec::Resources& resources, bool v2,
                                                    bool force, std::vector<std::string>& warnings);
// What an update sets on processes: only that part of the plan is filled.
Result<ProcessPlan> plan_attributes(const ProcessAttributes& changes);
// intelRdt: nullopt when the config has none, and resctrl must not be touched.
std::optional<RdtPlan> plan_rdt(const spec::Spec& spec, const std::string& id);
// The lines of its three members, for resctrl's schemata.
std::string schemata_of(const spec::IntelRdt& wanted);
std::vector<DeviceRulePlan> plan_device_rules(const spec::Spec& spec);
// The hooks of the host's side of one kind ("poststart"), for those that are run when the plan is
// long gone.
std::vector<HookItem> plan_host_hooks(const std::vector<spec::Hook>& hooks, std::string_view kind);
Result<> plan_hooks(const spec::Spec& spec, Plan& plan);

// True when nobody can be in init's pid namespace before its program runs, if that is executed at
// once: neither a process that was there before nor a hook. Then nobody can look at what init is
// made of, either.
bool leaves_init_alone(const Plan& plan);

// A plan as JSON, for `berth plan` and the golden tests.
[[gnu::cold]] std::string dump(const Plan& plan);

}  // namespace berth::plan
