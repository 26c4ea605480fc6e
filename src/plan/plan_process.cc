// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <unordered_set>

#include "berth/try.h"
#include "plan/process_parts.h"
#include "plan/refuse.h"
#include "spec/seccomp_names.h"

namespace berth::plan {
namespace {

constexpr mode_t kDefaultUmask = 022;

std::string_view name_of(std::string_view assignment) {
  return assignment.substr(0, assignment.find('='));
}

// The last of each name, where it stood.
std::vector<std::string> plan_env(const std::vector<std::string>& env) {
  std::vector<std::string> kept;
  std::unordered_set<std::string_view> seen;
  for (size_t i = env.size(); i-- > 0;) {
    if (seen.insert(name_of(env[i])).second) kept.push_back(env[i]);
  }
  std::ranges::reverse(kept);
  return kept;
}

const spec::Namespace* user_namespace(const spec::Spec& spec) {
  const auto& list = spec.platform.namespaces;
  const auto found = std::ranges::find(list, spec::NamespaceType::User, &spec::Namespace::type);
  return found == list.end() ? nullptr : &*found;
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, uint32_t id) {
  return std::ranges::any_of(mappings, [id](const spec::IdMapping& item) {
    return id >= item.container_id && id - item.container_id < item.size;
  });
}

Result<> check_mapped(const ProcessSource& source) {
  const spec::Namespace* wanted = user_namespace(source.spec);
  if (wanted == nullptr || !wanted->path.empty()) return {};
  const spec::Linux& platform = source.spec.platform;
  const spec::User& user = source.process.user;
  constexpr auto kKind = ErrorKind::InvalidConfig;
  if (!is_mapped(platform.uid_mappings, user.uid)) {
    return refuse(formatted("{}/user/uid", source.pointer), kKind,
                  "user {} is not in /linux/uidMappings", user.uid);
  }
  if (!is_mapped(platform.gid_mappings, user.gid)) {
    return refuse(formatted("{}/user/gid", source.pointer), kKind,
                  "group {} is not in /linux/gidMappings", user.gid);
  }
  for (size_t i = 0; i < user.additional_gids.size(); ++i) {
    if (is_mapped(platform.gid_mappings, user.additional_gids[i])) continue;
    return refuse(formatted("{}/user/additionalGids/{}", source.pointer, i), kKind,
                  "group {} is not in /linux/gidMappings", user.additional_gids[i]);
  }
  return {};
}

Result<> plan_user(const ProcessSource& source, ProcessPlan& plan) {
  TRY(check_mapped(source));
  const spec::User& user = source.process.user;
  plan.uid = user.uid;
  plan.gid = user.gid;
  plan.groups.assign(user.additional_gids.begin(), user.additional_gids.end());
  plan.umask = user.umask.value_or(kDefaultUmask);
  const spec::Namespace* wanted = user_namespace(source.spec);
  const bool joined = wanted != nullptr && !wanted->path.empty();
  const bool denied =
      source.facts.setgroups_denied || TRY(plan_ids(source.spec, source.facts)).deny_setgroups;
  if (denied && !plan.groups.empty()) {
    return refuse(formatted("{}/user/additionalGids", source.pointer), ErrorKind::InvalidConfig,
                  "additional groups can not be set: setgroups is denied in this user namespace");
  }
  // Whether a joined one denies it is not known here: only who can not do without finds out.
  const bool unsure = joined && source.facts.euid != 0;
  plan.set_groups = !denied && (!unsure || !plan.groups.empty());
  return {};
}

Result<> check_supported(const ProcessSource& source) {
  const spec::Linux& platform = source.spec.platform;
  if (platform.seccomp && !source.facts.has_seccomp) {
    return refuse("/linux/seccomp", ErrorKind::Unsupported,
                  "a seccomp profile is given, but this kernel has no seccomp");
  }
  return {};
}

void plan_terminal(const spec::Process& process, ProcessPlan& plan) {
  plan.terminal = process.terminal;
  if (!process.terminal || !process.console_size) return;
  plan.console_rows = process.console_size->height;
  plan.console_columns = process.console_size->width;
}

}  // namespace

Result<> plan_labels(const ProcessSource& source, ProcessPlan& plan) {
  const spec::Process& process = source.process;
  const bool confined =
      !process.apparmor_profile.empty() && process.apparmor_profile != "unconfined";
  if (confined && !source.facts.has_apparmor) {
    return refuse(formatted("{}/apparmorProfile", source.pointer), ErrorKind::Unsupported,
                  "apparmor profile {} is given, but AppArmor is not enabled on this host",
                  process.apparmor_profile);
  }
  if (!process.selinux_label.empty() && !source.facts.has_selinux) {
    return refuse(formatted("{}/selinuxLabel", source.pointer), ErrorKind::Unsupported,
                  "selinux label {} is given, but SELinux is not enabled on this host",
                  process.selinux_label);
  }
  if (source.facts.has_apparmor) plan.apparmor_profile = process.apparmor_profile;
  plan.selinux_label = process.selinux_label;
  return {};
}

Result<ProcessPlan> plan_process(const spec::Process& process, const spec::Spec& spec,
                                 const HostFacts& facts, std::vector<std::string>& warnings) {
  const bool of_config = spec.process && &*spec.process == &process;
  const ProcessSource source{.process = process,
                             .spec = spec,
                             .facts = facts,
                             .pointer = of_config ? "/process" : "",
                             .warnings = warnings};
  TRY(check_supported(source));
  ProcessPlan plan{.args = process.args, .env = plan_env(process.env), .cwd = process.cwd};
  plan.pointer = source.pointer;
  std::erase(plan.env, "HOME=");
  plan.home_from_passwd = std::ranges::find(plan.env, "HOME", name_of) == plan.env.end();
  TRY(plan_user(source, plan));
  plan.capabilities = plan_capabilities(source);
  plan.no_new_privileges = process.no_new_privileges;
  plan_terminal(process, plan);
  plan.rlimits = TRY(plan_rlimits(source));
  TRY(plan_priorities(source, plan));
  TRY(plan_labels(source, plan));
  plan.confinement = TRY(plan_confinement(source));
  plan.has_seccomp = spec.platform.seccomp.has_value() || spec::added_filter(spec) != nullptr;
  return plan;
}

}  // namespace berth::plan
