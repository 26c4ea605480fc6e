// SPDX-License-Identifier: Apache-2.0
#include "core/format.h"
#include "plan/dump_parts.h"
#include "spec/capability_names.h"

namespace berth::plan {
namespace {

void dump_set(json::Writer& out, std::string_view name, uint64_t set) {
  std::vector<std::string> names;
  for (size_t number = 0; number < spec::kCapabilityNames.size(); ++number) {
    if ((set >> number & 1) != 0) names.emplace_back(spec::kCapabilityNames[number]);
  }
  list_member(out, name, names);
}

void dump_scheduler(json::Writer& out, const SchedulerPlan& plan) {
  out.key("scheduler").begin_object();
  out.member("policy", plan.policy).member("flags", plan.flags).member("nice", plan.nice);
  out.member("priority", plan.priority).member("runtime", plan.runtime);
  out.member("deadline", plan.deadline).member("period", plan.period).end();
}

}  // namespace

void dump_limits(json::Writer& out, const ProcessPlan& plan) {
  if (!plan.rlimits.empty()) {
    out.key("rlimits").begin_array();
    for (const RlimitItem& item : plan.rlimits) {
      out.begin_object().member("resource", item.resource).member("soft", item.limit.rlim_cur);
      out.member("hard", item.limit.rlim_max).member("from", item.pointer).end();
    }
    out.end();
  }
  if (plan.oom_score_adj) out.member("oomScoreAdj", *plan.oom_score_adj);
  if (plan.scheduler) dump_scheduler(out, *plan.scheduler);
  if (plan.io_priority) out.member("ioPriority", *plan.io_priority);
  if (plan.personality) out.member("personality", *plan.personality);
  if (plan.memory_policy) {
    out.key("memoryPolicy").begin_object().member("mode", plan.memory_policy->mode);
    out.key("nodes").begin_array();
    for (const uint64_t word : plan.memory_policy->nodes) out.number(word);
    out.end().end();
  }
}

void dump_confinement(json::Writer& out, const ConfinementPlan& plan) {
  flag_member(out, "ownCore", plan.core_cookie);
  flag_member(out, "mergePages", plan.merge_pages);
  if (plan.huge_pages != HugePages::AsTheHost)
    out.member("hugePages", plan.huge_pages == HugePages::Never ? "never" : "advised");
  flag_member(out, "denyWriteExecute", plan.deny_write_execute);
  if (plan.landlock_rights == 0) return;
  out.key("landlock").begin_object().member("denied", formatted("{:#x}", plan.landlock_rights));
  out.key("open").begin_array();
  for (const LandlockItem& item : plan.landlock) {
    out.begin_object().member("path", item.path);
    out.member("rights", formatted("{:#x}", item.rights)).member("from", item.pointer).end();
  }
  out.end().end();
}

void dump_privileges(json::Writer& out, const ProcessPlan& plan) {
  out.member("uid", plan.uid).member("gid", plan.gid);
  if (!plan.groups.empty()) {
    out.key("groups").begin_array();
    for (const gid_t group : plan.groups) out.number(group);
    out.end();
  }
  flag_member(out, "keepGroups", !plan.set_groups);
  out.member("umask", formatted("{:04o}", plan.umask)).member("cwd", plan.cwd);
  if (plan.capabilities.set) {
    out.key("capabilities").begin_object();
    dump_set(out, "bounding", plan.capabilities.bounding);
    dump_set(out, "effective", plan.capabilities.effective);
    dump_set(out, "inheritable", plan.capabilities.inheritable);
    dump_set(out, "permitted", plan.capabilities.permitted);
    dump_set(out, "ambient", plan.capabilities.ambient);
    out.end();
  }
  out.member("noNewPrivileges", plan.no_new_privileges);
  text_member(out, "apparmorProfile", plan.apparmor_profile);
  text_member(out, "selinuxLabel", plan.selinux_label);
}

void dump_program(json::Writer& out, const ProcessPlan& plan) {
  list_member(out, "args", plan.args);
  list_member(out, "env", plan.env);
  flag_member(out, "homeFromPasswd", plan.home_from_passwd);
  flag_member(out, "listenPid", plan.listen_pid);
  text_member(out, "from", plan.pointer);
}

}  // namespace berth::plan
