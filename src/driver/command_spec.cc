// SPDX-License-Identifier: Apache-2.0
#include "driver/command_spec.h"

#include <unistd.h>

#include <algorithm>

#include "berth/oci.h"
#include "berth/try.h"
#include "core/context.h"
#include "driver/default_seccomp.h"
#include "driver/host_devices.h"
#include "driver/rootfs_user.h"
#include "spec/annotations.h"
#include "spec/capability_names.h"
#include "spec/interfaces.h"

namespace berth::driver {
namespace {

// Those that Docker gives.
constexpr const char* kCapabilities[] = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE"};
constexpr const char* kPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

bool in_user_namespace(const Choice& choice) {
  return !choice.root || !choice.command.remap.empty();
}

// As it is mapped there: the group of terminals has a number on every Linux.
bool has_terminal_group(const Choice& choice) {
  constexpr uint32_t kTerminals = 5;
  if (!in_user_namespace(choice)) return true;
  return std::ranges::any_of(choice.command.remap, [](const IdRange& range) {
    return range.inside <= kTerminals && kTerminals - range.inside < range.count;
  });
}

// A later variable takes the place of an earlier one of the same name.
void set_variable(std::vector<std::string>& variables, const std::string& variable) {
  const std::string name = variable.substr(0, variable.find('=') + 1);
  const auto same = std::ranges::find_if(
      variables, [&](const std::string& each) { return each.starts_with(name); });
  if (same == variables.end())
    variables.push_back(variable);
  else
    *same = variable;
}

Result<std::vector<std::string>> environment(const Choice& choice, const std::string& hostname) {
  std::vector<std::string> variables = {kPath, "HOSTNAME=" + hostname};
  if (choice.command.terminal) variables.emplace_back("TERM=xterm");
  for (const std::string& variable : choice.command.env) {
    const size_t equals = variable.find('=');
    if (equals == 0 || equals == variable.npos)
      return fail(ErrorKind::InvalidUse, "env: \"{}\" is not NAME=VALUE", variable);
    set_variable(variables, variable);
  }
  return variables;
}

bool contains(const auto& values, std::string_view wanted) {
  return std::ranges::find(values, wanted) != std::ranges::end(values);
}

// "net_raw", "CAP_NET_RAW": the second.
std::string full_name(std::string_view capability) {
  std::string name(capability);
  for (char& each : name) each = each >= 'a' && each <= 'z' ? static_cast<char>(each - 0x20) : each;
  return name.starts_with("CAP_") ? name : "CAP_" + name;
}

Result<> check_capability(const std::string& name) {
  if (contains(spec::kCapabilityNames, name)) return {};
  return fail(ErrorKind::InvalidUse, "capabilities: there is none with the name \"{}\"", name);
}

std::vector<std::string> all_capabilities() {
  return {spec::kCapabilityNames.begin(), spec::kCapabilityNames.end()};
}

Result<std::vector<std::string>> capabilities(const Command& command) {
  if (command.privileged) return all_capabilities();
  std::vector<std::string> kept(std::begin(kCapabilities), std::end(kCapabilities));
  const auto is_all = [](std::string_view text) { return text == "ALL" || text == "all"; };
  if (std::ranges::any_of(command.drop_capabilities, is_all)) kept.clear();
  if (std::ranges::any_of(command.add_capabilities, is_all)) kept = all_capabilities();
  for (const std::string& text : command.drop_capabilities) {
    if (is_all(text)) continue;
    TRY(check_capability(full_name(text)));
    std::erase(kept, full_name(text));
  }
  for (const std::string& text : command.add_capabilities) {
    const std::string name = full_name(text);
    if (is_all(text) || contains(kept, name)) continue;
    TRY(check_capability(name));
    kept.push_back(name);
  }
  return kept;
}

Result<spec::Process> process_of(const Choice& choice, const std::string& hostname) {
  const Command& command = choice.command;
  spec::Process process{.terminal = command.terminal,
                        .cwd = command.cwd,
                        .env = TRY(environment(choice, hostname)),
                        .user = TRY(resolve_user(command.user, choice.rootfs)),
                        .rlimits = command.rlimits,
                        .no_new_privileges = command.no_new_privileges,
                        .oom_score_adj = command.oom_score_adj};
  if (!command.entrypoint.empty()) process.args.push_back(command.entrypoint);
  process.args.insert(process.args.end(), command.args.begin(), command.args.end());
  if (process.args.empty()) return fail(ErrorKind::InvalidUse, "args: there is no command to run");
  if (command.window.rows != 0)
    process.console_size = {.height = command.window.rows, .width = command.window.columns};
  auto& groups = process.user.additional_gids;
  groups.insert(groups.end(), command.additional_gids.begin(), command.additional_gids.end());
  const std::vector<std::string> kept = TRY(capabilities(command));
  process.capabilities = {.bounding = kept, .effective = kept, .permitted = kept};
  return process;
}

spec::Mount tmpfs(const char* destination, std::vector<std::string> options) {
  options.insert(options.begin(), {"nosuid", "nodev"});
  return {.destination = destination,
          .type = "tmpfs",
          .source = "tmpfs",
          .options = std::move(options)};
}

// A sysfs of its own needs a network namespace of the same user namespace.
spec::Mount sysfs(const Choice& choice) {
  const bool foreign =
      choice.command.network.kind != BoxNetwork::Kind::Own && in_user_namespace(choice);
  spec::Mount mount{.destination = "/sys", .type = "sysfs", .source = "sysfs"};
  mount.options = {"nosuid", "noexec", "nodev"};
  if (foreign) {
    mount.type = "none";
    mount.source = "/sys";
    mount.options.insert(mount.options.begin(), "rbind");
  }
  if (!choice.command.privileged || foreign) mount.options.emplace_back("ro");
  return mount;
}

std::vector<spec::Mount> mounts_of(const Choice& choice) {
  const Command& command = choice.command;
  spec::Mount terminals{.destination = "/dev/pts", .type = "devpts", .source = "devpts"};
  terminals.options = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"};
  if (has_terminal_group(choice)) terminals.options.emplace_back("gid=5");
  spec::Mount cgroup{.destination = "/sys/fs/cgroup", .type = "cgroup", .source = "cgroup"};
  cgroup.options = {"nosuid", "noexec", "nodev", "relatime"};
  if (!command.privileged) cgroup.options.emplace_back("ro");
  std::vector<spec::Mount> mounts = {
      {.destination = "/proc",
       .type = "proc",
       .source = "proc",
       .options = {"nosuid", "noexec", "nodev"}},
      {.destination = "/dev",
       .type = "tmpfs",
       .source = "tmpfs",
       .options = {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      std::move(terminals),
      tmpfs("/dev/shm", {"noexec", "mode=1777", formatted("size={}", command.shm_size)}),
      {.destination = "/dev/mqueue",
       .type = "mqueue",
       .source = "mqueue",
       .options = {"nosuid", "noexec", "nodev"}},
      sysfs(choice),
      std::move(cgroup)};
  if (command.rootfs.empty()) {
    mounts.push_back(tmpfs("/tmp", {"mode=1777"}));
    mounts.push_back(tmpfs("/run", {"mode=755"}));
  }
  return mounts;
}

Result<> add_mounts(const Command& command, std::vector<spec::Mount>& mounts) {
  for (const BoxMount& each : command.mounts) {
    if (!each.destination.starts_with('/'))
      return fail(ErrorKind::InvalidUse, "mounts: \"{}\" is no absolute path", each.destination);
    spec::Mount mount{.destination = each.destination,
                      .type = each.type,
                      .source = each.source,
                      .options = each.options};
    if (each.type == "bind") mount.options.insert(mount.options.begin(), "rbind");
    mounts.push_back(std::move(mount));
  }
  return {};
}

std::vector<spec::IdMapping> id_mappings(const Choice& choice, uint32_t own) {
  std::vector<spec::IdMapping> mappings;
  for (const IdRange& range : choice.command.remap)
    mappings.push_back(
        {.container_id = range.inside, .host_id = range.outside, .size = range.count});
  if (mappings.empty()) mappings.push_back({.container_id = 0, .host_id = own, .size = 1});
  return mappings;
}

void choose_namespaces(const Choice& choice, spec::Linux& platform) {
  using enum spec::NamespaceType;
  for (const spec::NamespaceType type : {Pid, Mount, Ipc, Uts, Cgroup})
    platform.namespaces.push_back({.type = type});
  const BoxNetwork& network = choice.command.network;
  if (network.kind != BoxNetwork::Kind::Host)
    platform.namespaces.push_back({.type = Network, .path = network.path});
  if (!in_user_namespace(choice)) return;
  platform.namespaces.push_back({.type = User});
  platform.uid_mappings = id_mappings(choice, ::geteuid());
  platform.gid_mappings = id_mappings(choice, ::getegid());
}

Result<> add_devices(const Choice& choice, spec::Linux& platform) {
  const Command& command = choice.command;
  std::vector<DeviceRule>& rules = platform.resources->devices;
  if (command.privileged) {
    platform.devices = TRY(host_devices());
    rules.push_back({.allow = true, .access = "rwm"});
    return {};
  }
  rules.push_back({.allow = false, .access = "rwm"});
  for (const BoxDevice& each : command.devices) {
    spec::Device device = TRY(device_at(each.path));
    if (!each.destination.empty()) device.path = each.destination;
    rules.push_back({.allow = true,
                     .type = device.type,
                     .major = device.major,
                     .minor = device.minor,
                     .access = each.access});
    platform.devices.push_back(std::move(device));
  }
  return {};
}

spec::Mount device_bind(const std::string& source, const std::string& destination) {
  return {.destination = destination, .type = "bind", .source = source, .options = {"bind"}};
}

// No node can be made in a user namespace: the caller's own are shown, with their owners and modes.
void bind_devices(const Command& command, spec::Spec& spec) {
  for (const BoxDevice& each : command.devices)
    spec.mounts.push_back(
        device_bind(each.path, each.destination.empty() ? each.path : each.destination));
  if (command.privileged) {
    for (const spec::Device& device : spec.platform.devices)
      spec.mounts.push_back(device_bind(device.path, device.path));
  }
  spec.platform.devices.clear();
}

Result<spec::Linux> platform_of(const Choice& choice) {
  const Command& command = choice.command;
  spec::Linux platform{.cgroups_path = command.cgroup_path, .resources = command.resources};
  choose_namespaces(choice, platform);
  for (const BoxNetDevice& device : command.network.devices)
    platform.net_devices.push_back({.host_name = device.host_name, .name = device.name});
  TRY(add_devices(choice, platform));
  // Device rules are root's to make.
  if (!choice.root) platform.resources->devices.clear();
  if (command.privileged) return platform;
  platform.masked_paths = {"/proc/acpi",
                           "/proc/asound",
                           "/proc/interrupts",
                           "/proc/kcore",
                           "/proc/keys",
                           "/proc/latency_stats",
                           "/proc/sched_debug",
                           "/proc/scsi",
                           "/proc/timer_list",
                           "/proc/timer_stats",
                           "/sys/devices/virtual/powercap",
                           "/sys/firmware"};
  platform.readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                             "/proc/sysrq-trigger"};
  platform.seccomp = default_seccomp();
  return platform;
}

Result<> check(const Command& command) {
  const bool path = !command.network.path.empty();
  if (path != (command.network.kind == BoxNetwork::Kind::Joined))
    return fail(ErrorKind::InvalidUse,
                "network: a path goes with a joined namespace, and only there");
  const bool has_devices = !command.network.interfaces.empty() || !command.network.devices.empty();
  if (has_devices && command.network.kind == BoxNetwork::Kind::Host)
    return fail(ErrorKind::InvalidUse,
                "network: interfaces go into a network namespace, not into the host's");
  if (command.privileged &&
      (!command.add_capabilities.empty() || !command.drop_capabilities.empty()))
    return fail(ErrorKind::InvalidUse, "capabilities: a privileged command has all of them");
  return {};
}

}  // namespace

Result<spec::Spec> command_spec(const Choice& choice) {
  const Command& command = choice.command;
  TRY(check(command));
  spec::Spec spec{.oci_version = kSpecVersion,
                  .root = spec::Root{.path = choice.rootfs, .readonly = command.read_only},
                  .hostname = command.hostname.empty() ? choice.id : command.hostname,
                  .mounts = mounts_of(choice),
                  .annotations = command.labels,
                  .platform = TRY(platform_of(choice))};
  spec.process = TRY(process_of(choice, spec.hostname));
  if (in_user_namespace(choice)) bind_devices(command, spec);
  TRY(add_mounts(command, spec.mounts));
  if (!command.network.interfaces.empty()) {
    spec.annotations.emplace_back(spec::kInterfaces,
                                  spec::write_interfaces(command.network.interfaces));
  }
  if (!choice.streams.empty()) spec.annotations.emplace_back(spec::kBox, choice.streams);
  return spec;
}

}  // namespace berth::driver
