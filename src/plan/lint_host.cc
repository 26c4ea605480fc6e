// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include "core/nearest.h"
#include "plan/lint_rules.h"
#include "spec/capability_names.h"
#include "spec/mount_options.h"
#include "spec/validate.h"

// What of a config cannot work on this host.
namespace berth::plan {
namespace {

template <typename T>
bool holds(const std::vector<T>& list, const auto& wanted) {
  return std::ranges::find(list, wanted) != list.end();
}

// Of a list beside another: what was not asked for is there.
bool is_there(const std::vector<bool>& list, size_t index) {
  return index >= list.size() || list[index];
}

bool has_option(const spec::Mount& mount, std::string_view name) {
  return holds(mount.options, name);
}

std::string_view name_of(spec::NamespaceType type) {
  constexpr std::string_view kNames[] = {"pid", "network", "mount",  "ipc",
                                         "uts", "user",    "cgroup", "time"};
  return kNames[static_cast<size_t>(type)];
}

std::string hint(std::string_view meant) {
  return meant.empty() ? std::string() : formatted(": did you mean {}?", meant);
}

void check_capabilities(const LintSource& source, std::string_view set,
                        const std::vector<std::string>& names, LintFindings& findings) {
  const auto last = static_cast<size_t>(source.facts.host.last_capability);
  const size_t known = std::min(last + 1, spec::kCapabilityNames.size());
  const auto end = spec::kCapabilityNames.begin() + static_cast<ptrdiff_t>(known);
  for (size_t i = 0; i < names.size(); ++i) {
    if (std::find(spec::kCapabilityNames.begin(), end, names[i]) != end) continue;
    report(findings, formatted("/process/capabilities/{}/{}", set, i),
           "{} is no capability of this kernel, and ignored{}", names[i],
           hint(nearest(names[i], spec::kCapabilityNames)));
  }
}

}  // namespace

bool is_bind(const spec::Mount& mount) {
  return mount.type == "bind" || has_option(mount, "bind") || has_option(mount, "rbind");
}

void find_missing_root(const LintSource& source, LintFindings& findings) {
  if (source.facts.root_exists || !source.spec.root) return;
  report(findings, "/root/path", "{} is not a directory", source.spec.root->path);
}

void find_missing_program(const LintSource& source, LintFindings& findings) {
  if (source.facts.program_exists || !source.spec.process || source.spec.process->args.empty())
    return;
  report(findings, "/process/args/0", "the root has no program {}{}", source.spec.process->args[0],
         source.spec.process->args[0].contains('/') ? "" : " in the directories of PATH");
}

void find_missing_sources(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    const spec::Mount& mount = source.spec.mounts[i];
    if (is_there(source.facts.mount_sources, i) || has_option(mount, "nofail")) continue;
    report(findings, formatted("/mounts/{}/source", i), "{} does not exist on this host",
           mount.source);
  }
}

void find_unknown_filesystems(const LintSource& source, LintFindings& findings) {
  if (source.facts.filesystems.empty()) return;
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    const spec::Mount& mount = source.spec.mounts[i];
    const bool ours = is_bind(mount) || mount.type.empty() || mount.type.starts_with("cgroup");
    if (ours || has_option(mount, "remount") || holds(source.facts.filesystems, mount.type))
      continue;
    report(findings, formatted("/mounts/{}/type", i),
           "the kernel has no filesystem {}, unless a module brings it", mount.type);
  }
}

void find_missing_namespaces(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.platform.namespaces.size(); ++i) {
    if (is_there(source.facts.namespaces, i)) continue;
    const spec::Namespace& wanted = source.spec.platform.namespaces[i];
    if (wanted.path.empty()) {
      report(findings, formatted("/linux/namespaces/{}/type", i),
             "this kernel has no {} namespaces", name_of(wanted.type));
    } else {
      report(findings, formatted("/linux/namespaces/{}/path", i), "{} does not exist", wanted.path);
    }
  }
}

void find_missing_controllers(const LintSource& source, LintFindings& findings) {
  if (source.plan == nullptr) return;
  std::set<std::string> told;
  for (const CgroupWrite& write : source.plan->host.cgroup.writes) {
    const bool needed = !write.controller.empty() && !write.if_exists && !write.pointer.empty();
    if (!needed || holds(source.facts.controllers, write.controller)) continue;
    if (!told.insert(write.pointer).second) continue;
    report(findings, write.pointer, "this host has no cgroup controller {}", write.controller);
  }
}

void find_devices_without_driver(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.platform.devices.size(); ++i) {
    const spec::Device& device = source.spec.platform.devices[i];
    if (device.type == 'p') continue;
    const auto& drivers =
        device.type == 'b' ? source.facts.block_drivers : source.facts.character_drivers;
    if (drivers.empty() || holds(drivers, device.major)) continue;
    report(findings, formatted("/linux/devices/{}/major", i),
           "no driver of this kernel has the number {}: {} could not be opened", device.major,
           device.path);
  }
}

void find_missing_hooks(const LintSource& source, LintFindings& findings) {
  for (const std::string& pointer : source.facts.missing_hooks)
    report(findings, pointer, "is no program that can be executed on this host");
}

void find_missing_sysctls(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.platform.sysctl.size(); ++i) {
    if (is_there(source.facts.sysctls, i)) continue;
    const std::string& key = source.spec.platform.sysctl[i].first;
    report(findings, "/linux/sysctl/" + spec::pointer_token(key), "this kernel has no {}", key);
  }
}

void find_missing_net_devices(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.platform.net_devices.size(); ++i) {
    if (is_there(source.facts.net_devices, i)) continue;
    const std::string& name = source.spec.platform.net_devices[i].host_name;
    report(findings, "/linux/netDevices/" + spec::pointer_token(name),
           "this host has no network device {}", name);
  }
}

void find_unsupported_filter_flags(const LintSource& source, LintFindings& findings) {
  const auto& seccomp = source.spec.platform.seccomp;
  if (!seccomp || !seccomp->flags) return;
  for (size_t i = 0; i < seccomp->flags->size(); ++i) {
    const std::string& flag = (*seccomp->flags)[i];
    if (holds(source.facts.seccomp_flags, flag)) continue;
    report(findings, formatted("/linux/seccomp/flags/{}", i), "this kernel has no {}", flag);
  }
}

void find_missing_modules(const LintSource& source, LintFindings& findings) {
  if (!source.spec.process) return;
  const spec::Process& process = *source.spec.process;
  const bool confined =
      !process.apparmor_profile.empty() && process.apparmor_profile != "unconfined";
  if (confined && !source.facts.host.has_apparmor)
    report(findings, "/process/apparmorProfile", "AppArmor is not enabled on this host");
  if (source.facts.host.has_selinux) return;
  if (!process.selinux_label.empty())
    report(findings, "/process/selinuxLabel", "SELinux is not enabled on this host");
  if (!source.spec.platform.mount_label.empty())
    report(findings, "/linux/mountLabel", "SELinux is not enabled on this host");
}

void find_missing_resctrl(const LintSource& source, LintFindings& findings) {
  if (!source.spec.platform.intel_rdt || source.facts.has_resctrl) return;
  report(findings, "/linux/intelRdt", "resctrl is not mounted on this host");
}

void find_unknown_capabilities(const LintSource& source, LintFindings& findings) {
  if (!source.spec.process || !source.spec.process->capabilities) return;
  const spec::Capabilities& sets = *source.spec.process->capabilities;
  check_capabilities(source, "bounding", sets.bounding, findings);
  check_capabilities(source, "effective", sets.effective, findings);
  check_capabilities(source, "inheritable", sets.inheritable, findings);
  check_capabilities(source, "permitted", sets.permitted, findings);
  check_capabilities(source, "ambient", sets.ambient, findings);
}

}  // namespace berth::plan
