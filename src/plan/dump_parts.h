// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "json/write.h"
#include "plan/plan.h"

// The pieces of dump(): each writes the members of one step into the object that is open. Cold:
// decision 13.
namespace berth::plan {

[[gnu::cold]] void dump_namespaces(json::Writer& out, const NamespacePlan& plan);
[[gnu::cold]] void dump_cgroup(json::Writer& out, const CgroupPlan& plan);
[[gnu::cold]] void dump_device_rules(json::Writer& out, const CgroupPlan& plan);
[[gnu::cold]] void dump_rdt(json::Writer& out, const RdtPlan& plan);
[[gnu::cold]] void dump_network(json::Writer& out, const HostPlan& plan);
[[gnu::cold]] void dump_hooks(json::Writer& out, const std::vector<HookItem>& hooks);
[[gnu::cold]] void dump_mounts(json::Writer& out, const std::vector<MountItem>& mounts);
[[gnu::cold]] void dump_devices(json::Writer& out, const InitPlan& plan);
[[gnu::cold]] void dump_limits(json::Writer& out, const ProcessPlan& plan);
[[gnu::cold]] void dump_confinement(json::Writer& out, const ConfinementPlan& plan);
[[gnu::cold]] void dump_privileges(json::Writer& out, const ProcessPlan& plan);
[[gnu::cold]] void dump_program(json::Writer& out, const ProcessPlan& plan);

// A member only when there is something to say.
void text_member(json::Writer& out, std::string_view name, std::string_view value);
void flag_member(json::Writer& out, std::string_view name, bool value);
void list_member(json::Writer& out, std::string_view name, const std::vector<std::string>& values);

// The words of config.json that take a restriction away, or change the access time.
std::vector<std::string> loosening_words(const MountItem& item);
// "private" or "rprivate" of MS_PRIVATE | MS_REC.
std::string propagation_name(uint64_t propagation);

}  // namespace berth::plan
