// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.h"

#include <linux/capability.h>

#include <sched.h>

#include <algorithm>

#include "berth/try.h"
#include "plan/borrowed_mounts.h"
#include "plan/namespace_flags.h"
#include "plan/process_parts.h"
#include "plan/refuse.h"
#include "spec/annotations.h"
#include "spec/interfaces.h"
#include "spec/paths.h"

namespace berth::plan {
namespace {

using spec::NamespaceType;

Result<> check_supported(const spec::Spec& spec) {
  if (!spec.process) return refuse("", ErrorKind::InvalidConfig, "process is missing");
  return {};
}

// Giving it a device of the host needs the host's rights.
Result<> check_network_rights(std::string_view pointer, const HostFacts& facts,
                              const Request& request, const Plan& plan) {
  if (!plan.host.namespaces.has(NamespaceType::Network)) {
    return refuse(pointer, ErrorKind::InvalidConfig,
                  "a network device needs a network namespace: add {{\"type\": \"network\"}}");
  }
  const bool may_move = (facts.capabilities >> CAP_NET_ADMIN & 1) != 0;
  if (may_move && !request.rootless && !facts.in_user_namespace) return {};
  return refuse(pointer, ErrorKind::Unsupported,
                "a rootless container cannot be given network devices of the host");
}

Result<std::vector<InterfacePlan>> plan_annotated_interfaces(const spec::Spec& spec,
                                                             std::string_view pointer) {
  const auto asked =
      std::ranges::find(spec.annotations, spec::kInterfaces, &StringMap::value_type::first);
  if (asked == spec.annotations.end()) return {};
  const std::vector<Interface> interfaces = TRY(spec::read_annotated_interfaces(asked->second));
  std::vector<std::string> taken = {"lo"};
  for (const spec::NetDevice& device : spec.platform.net_devices)
    taken.push_back(device.name.empty() ? device.host_name : device.name);
  return plan_interfaces(interfaces, taken, pointer);
}

Result<> plan_network(const spec::Spec& spec, const HostFacts& facts, const Request& request,
                      Plan& plan) {
  const std::string pointer = "/annotations/" + std::string(spec::kInterfaces);
  plan.host.net_devices = spec.platform.net_devices;
  plan.host.interfaces = TRY(plan_annotated_interfaces(spec, pointer));
  if (!plan.host.net_devices.empty())
    TRY(check_network_rights("/linux/netDevices", facts, request, plan));
  if (!plan.host.interfaces.empty()) TRY(check_network_rights(pointer, facts, request, plan));
  return {};
}

// Init changes its root and nothing else. Devices that would be bound stay as the image has them.
Result<> leave_mounts(const spec::Spec& spec, Plan& plan) {
  TRY(check_borrowed_mounts(spec, plan));
  InitPlan& init = plan.init;
  init.root.entry = RootEntry::Chroot;
  init.root.isolation = 0;
  if (!init.bind_devices) return {};
  init.make_devices = false;
  plan.host.warnings.emplace_back(
      "/linux/namespaces: in a user namespace, and in a mount namespace that must stay as it is, "
      "there are only those devices that the image has");
  return {};
}

std::string escaped(std::string_view name) {
  std::string text;
  for (const char c : name) {
    if (c == '~')
      text += "~0";
    else if (c == '/')
      text += "~1";
    else
      text += c;
  }
  return text;
}

Result<std::vector<SysctlItem>> plan_sysctls(const spec::Spec& spec) {
  std::vector<SysctlItem> items;
  for (const auto& [key, value] : spec.platform.sysctl) {
    SysctlItem item{
        .path = spec::sysctl_path(key), .value = value, .pointer = "/linux/sysctl/" + escaped(key)};
    if (item.path.empty())
      return refuse(item.pointer, ErrorKind::InvalidConfig, "{} is not a sysctl", key);
    items.push_back(std::move(item));
  }
  return items;
}

// Sockets of the caller's service manager: the program finds them as if it had been activated
// itself.
void pass_listen_fds(const HostFacts& facts, ProcessPlan& process) {
  if (facts.listen_fds == 0) return;
  process.preserve_fds += facts.open_listen_fds;
  std::erase_if(process.env, [](const std::string& entry) {
    return entry.starts_with("LISTEN_FDS=") || entry.starts_with("LISTEN_PID=") ||
           entry.starts_with("LISTEN_FDNAMES=");
  });
  process.env.push_back(formatted("LISTEN_FDS={}", facts.listen_fds));
  if (!facts.listen_names.empty())
    process.env.push_back(formatted("LISTEN_FDNAMES={}", facts.listen_names));
  process.listen_pid = true;
}

Result<ProcessPlan> plan_own_process(const spec::Spec& spec, const HostFacts& facts,
                                     const Request& request, std::vector<std::string>& warnings) {
  ProcessPlan process = TRY(plan_process(*spec.process, spec, facts, warnings));
  process.new_keyring = !request.no_new_keyring;
  process.preserve_fds = request.preserve_fds;
  pass_listen_fds(facts, process);
  return process;
}

Result<Plan> plan_all(const spec::Spec& spec, const HostFacts& facts, const Request& request) {
  Plan plan;
  HostPlan& host = plan.host;
  InitPlan& init = plan.init;
  host.id = init.id = request.id;
  host.bundle = request.bundle;
  host.namespaces = TRY(plan_namespaces(spec, facts));
  TRY(check_supported(spec));
  host.ids = TRY(plan_ids(spec, facts));
  TRY(plan_network(spec, facts, request, plan));
  host.rdt = plan_rdt(spec, request.id);
  host.cgroup = TRY(plan_cgroup(spec, facts, request, host.warnings));
  init.new_mount_namespace = host.namespaces.is_new(NamespaceType::Mount);
  init.new_user_namespace = host.namespaces.is_new(NamespaceType::User);
  init.bring_up_loopback = host.namespaces.is_new(NamespaceType::Network);
  init.process = TRY(plan_own_process(spec, facts, request, host.warnings));
  TRY(plan_mounts(spec, facts, request, plan));
  // Who has rights inside only can open nothing outside: init does, and reaches what the caller
  // can.
  if ((facts.capabilities >> CAP_SYS_ADMIN & 1) == 0) {
    for (MountItem& mount : init.mounts) mount.source_first = false;
  }
  TRY(plan_devices(spec, plan));
  // Nodes can be made in the initial user namespace only, whoever made the other one.
  init.bind_devices = init.bind_devices || facts.in_user_namespace;
  if (borrows_mounts(spec, facts)) TRY(leave_mounts(spec, plan));
  TRY(plan_hooks(spec, plan));
  init.hostname = spec.hostname;
  init.domainname = spec.domainname;
  init.sysctls = TRY(plan_sysctls(spec));
  return plan;
}

Result<EnterPlan> plan_entry(const spec::Spec& spec, const spec::Process& process,
                             const HostFacts& facts, const Request& request) {
  const bool privileged = (facts.capabilities >> CAP_SYS_ADMIN & 1) != 0;
  EnterPlan plan{.id = request.id, .privileged = privileged};
  for (const spec::Namespace& item : spec.platform.namespaces)
    plan.namespaces |= clone_flag(item.type);
  // In a user namespace there is no way back from the container's pid namespace.
  if (!privileged || (facts.in_user_namespace && (plan.namespaces & CLONE_NEWPID) != 0))
    plan.shape = LaunchShape::Joiner;
  plan.process = TRY(plan_process(process, spec, facts, plan.warnings));
  if (process.exec_cpu_affinity) TRY(plan_affinity(*process.exec_cpu_affinity, plan.process));
  plan.process.create_cwd = false;
  plan.process.new_keyring = !request.no_new_keyring;
  plan.process.preserve_fds = request.preserve_fds;
  return plan;
}

}  // namespace

Result<Plan> make_plan(const spec::Spec& spec, const HostFacts& facts, const Request& request) {
  const std::optional<spec::Spec> changed = with_user_namespace(spec, facts);
  return plan_all(changed ? *changed : spec, facts, request);
}

Result<EnterPlan> make_enter_plan(const spec::Spec& spec, const spec::Process& process,
                                  const HostFacts& facts, const Request& request) {
  const std::optional<spec::Spec> changed = with_user_namespace(spec, facts);
  return plan_entry(changed ? *changed : spec, process, facts, request);
}

}  // namespace berth::plan
