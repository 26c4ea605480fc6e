// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/try.h"
#include "spec/fields.h"
#include "spec/memory_policy_names.h"
#include "spec/read_spec.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

constexpr size_t kLongestPath = 4095;
constexpr size_t kMostNetDevices = 4096;
constexpr size_t kMostMappings = 340;  // lines the kernel takes (user_namespaces(7))

constexpr std::string_view kPropagations[] = {
    "", "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable"};
bool is_one_of(std::string_view text, std::span<const std::string_view> known) {
  return std::ranges::find(known, text) != known.end();
}

bool is_one_of(std::string_view text, std::span<const json::Name> known) {
  return std::ranges::find(known, text, &json::Name::text) != known.end();
}

Result<> namespaces_are_sound(const Linux& platform) {
  for (size_t i = 0; i < platform.namespaces.size(); ++i) {
    const Namespace& space = platform.namespaces[i];
    const std::string at = formatted("/linux/namespaces/{}", i);
    if (find_namespace(platform, space.type) != &space) {
      return invalid(at + "/type", "namespace {} is given twice",
                     json::name_of(static_cast<int>(space.type), names(&space.type)));
    }
    if (space.path.empty()) continue;
    if (!space.path.starts_with('/')) return invalid(at + "/path", "must be an absolute path");
    if (space.path.size() > kLongestPath)
      return invalid(at + "/path", "longer than {} bytes", kLongestPath);
  }
  return {};
}

Result<> user_namespace_fits_mappings(const Linux& platform) {
  const Namespace* user = find_namespace(platform, NamespaceType::User);
  const bool uids = !platform.uid_mappings.empty();
  const bool gids = !platform.gid_mappings.empty();
  const std::string_view at = uids ? "/linux/uidMappings" : "/linux/gidMappings";
  if ((uids || gids) && user == nullptr)
    return invalid(at, "needs a user namespace in /linux/namespaces");
  if (uids != gids)
    return invalid(at, "uidMappings and gidMappings must be given both or not at all");
  if (user != nullptr && user->path.empty() && !uids) {
    return invalid("/linux/uidMappings", "a new user namespace needs uidMappings and gidMappings");
  }
  return {};
}

Result<> mappings_are_sound(const Linux& platform) {
  TRY(user_namespace_fits_mappings(platform));
  TRY(validate_mappings(platform.uid_mappings, "/linux/uidMappings"));
  return validate_mappings(platform.gid_mappings, "/linux/gidMappings");
}

Result<> time_offsets_are_sound(const Linux& platform) {
  if (platform.time_offsets.empty()) return {};
  const Namespace* time = find_namespace(platform, NamespaceType::Time);
  if (time == nullptr || !time->path.empty()) {
    return invalid("/linux/timeOffsets", "needs a new time namespace in /linux/namespaces");
  }
  for (const TimeOffset& offset : platform.time_offsets) {
    const std::string at = "/linux/timeOffsets/" + pointer_token(offset.clock);
    if (offset.clock != "monotonic" && offset.clock != "boottime")
      return invalid(at, "unknown clock");
    if (offset.nanoseconds >= 1'000'000'000)
      return invalid(at + "/nanosecs", "must be less than 1000000000");
  }
  return {};
}

Result<> net_devices_are_sound(const Linux& platform) {
  if (platform.net_devices.empty()) return {};
  if (find_namespace(platform, NamespaceType::Network) == nullptr) {
    return invalid("/linux/netDevices", "needs a network namespace in /linux/namespaces");
  }
  if (platform.net_devices.size() > kMostNetDevices) {
    return invalid("/linux/netDevices", "more than {} devices", kMostNetDevices);
  }
  std::vector<std::string_view> inside;
  for (const NetDevice& device : platform.net_devices) {
    const std::string at = "/linux/netDevices/" + pointer_token(device.host_name);
    if (!is_interface_name(device.host_name))
      return invalid(at, "not the name of a network device");
    if (!device.name.empty() && !is_interface_name(device.name)) {
      return invalid(at + "/name", "not the name of a network device");
    }
    const std::string& name = device.name.empty() ? device.host_name : device.name;
    if (std::ranges::find(inside, name) != inside.end())
      return invalid(at + "/name", "{} is given twice", name);
    if (!name.contains('%')) inside.push_back(name);
  }
  return {};
}

Result<> cgroup_stays_below(const Linux& platform) {
  if (climbs(platform.cgroups_path))
    return invalid("/linux/cgroupsPath", "must not contain \"..\"");
  if (has_control_character(platform.cgroups_path)) {
    return invalid("/linux/cgroupsPath", "has a control character");
  }
  if (platform.cgroups_path.size() > kLongestPath) {
    return invalid("/linux/cgroupsPath", "longer than {} bytes", kLongestPath);
  }
  return {};
}

Result<> paths_are_absolute(const std::vector<std::string>& paths, std::string_view pointer) {
  for (size_t i = 0; i < paths.size(); ++i) {
    if (!paths[i].starts_with('/'))
      return invalid(formatted("{}/{}", pointer, i), "must be an absolute path");
  }
  return {};
}

Result<> memory_policy_is_sound(const Linux& platform) {
  if (!platform.memory_policy) return {};
  const MemoryPolicy& policy = *platform.memory_policy;
  if (!is_one_of(policy.mode, kMemoryModes)) {
    return invalid("/linux/memoryPolicy/mode", "unknown mode \"{}\"", policy.mode);
  }
  if (!is_number_list(policy.nodes))
    return invalid("/linux/memoryPolicy/nodes", "not a list of nodes");
  const bool without = policy.mode == "MPOL_DEFAULT" || policy.mode == "MPOL_LOCAL";
  if (without && !policy.nodes.empty())
    return invalid("/linux/memoryPolicy/nodes", "{} takes no nodes", policy.mode);
  if (!without && policy.mode != "MPOL_PREFERRED" && policy.nodes.empty()) {
    return invalid("/linux/memoryPolicy/nodes", "{} needs nodes", policy.mode);
  }
  for (size_t i = 0; i < policy.flags.size(); ++i) {
    if (is_one_of(policy.flags[i], kMemoryFlags)) continue;
    return invalid(formatted("/linux/memoryPolicy/flags/{}", i), "unknown flag \"{}\"",
                   policy.flags[i]);
  }
  const auto has = [&policy](std::string_view flag) {
    return std::ranges::count(policy.flags, flag) != 0;
  };
  if (has("MPOL_F_RELATIVE_NODES") && has("MPOL_F_STATIC_NODES")) {
    return invalid("/linux/memoryPolicy/flags", "nodes cannot be both static and relative");
  }
  return {};
}

Result<> personality_is_known(const Linux& platform) {
  if (!platform.personality) return {};
  const Personality& personality = *platform.personality;
  if (personality.domain != "LINUX" && personality.domain != "LINUX32") {
    return invalid("/linux/personality/domain", "unknown domain \"{}\"", personality.domain);
  }
  if (!personality.flags.empty()) return invalid("/linux/personality/flags", "no flag is defined");
  return {};
}

Result<> rdt_is_sound(const Linux& platform) {
  if (!platform.intel_rdt) return {};
  const std::string& clos = platform.intel_rdt->clos_id;
  const bool bad = clos == "." || clos == ".." || clos.contains('/') || has_control_character(clos);
  if (bad && clos != "/") return invalid("/linux/intelRdt/closID", "not the name of a class");
  for (size_t i = 0; i < platform.intel_rdt->schemata.size(); ++i) {
    if (!platform.intel_rdt->schemata[i].contains('\n')) continue;
    return invalid(formatted("/linux/intelRdt/schemata/{}", i), "has a line end");
  }
  const std::string& bandwidth = platform.intel_rdt->mem_bw_schema;
  if (!bandwidth.empty() && (!bandwidth.starts_with("MB:") || bandwidth.contains('\n'))) {
    return invalid("/linux/intelRdt/memBwSchema", "must be one line that begins with MB:");
  }
  return {};
}

Result<> rootfs_settings_are_sound(const Linux& platform) {
  if (!is_one_of(platform.rootfs_propagation, kPropagations)) {
    return invalid("/linux/rootfsPropagation", "unknown propagation \"{}\"",
                   platform.rootfs_propagation);
  }
  TRY(paths_are_absolute(platform.masked_paths, "/linux/maskedPaths"));
  TRY(paths_are_absolute(platform.readonly_paths, "/linux/readonlyPaths"));
  // It becomes context="..." among a filesystem's options.
  if (has_control_character(platform.mount_label) || platform.mount_label.contains('"')) {
    return invalid("/linux/mountLabel", "has a quote or a control character");
  }
  return {};
}

}  // namespace

Result<> validate_mappings(std::span<const IdMapping> mappings, std::string_view pointer) {
  if (mappings.size() > kMostMappings)
    return invalid(pointer, "more than {} mappings", kMostMappings);
  const auto overlap = [](uint64_t a, uint64_t b, uint64_t a_size, uint64_t b_size) {
    return a < b + b_size && b < a + a_size;
  };
  for (size_t i = 0; i < mappings.size(); ++i) {
    const IdMapping& one = mappings[i];
    const std::string at = formatted("{}/{}", pointer, i);
    if (one.size == 0) return invalid(at + "/size", "must be greater than 0");
    const uint64_t last = uint64_t{std::max(one.container_id, one.host_id)} + one.size - 1;
    if (last >= kNoId) return invalid(at, "ends beyond the last id {}", kNoId - 1);
    for (const IdMapping& other : mappings.first(i)) {
      if (overlap(one.container_id, other.container_id, one.size, other.size) ||
          overlap(one.host_id, other.host_id, one.size, other.size)) {
        return invalid(at, "overlaps an earlier mapping");
      }
    }
  }
  return {};
}

Result<> validate_linux(const Spec& spec) {
  const Linux& platform = spec.platform;
  TRY(namespaces_are_sound(platform));
  TRY(mappings_are_sound(platform));
  TRY(time_offsets_are_sound(platform));
  TRY(validate_devices(platform));
  TRY(net_devices_are_sound(platform));
  TRY(cgroup_stays_below(platform));
  TRY(rootfs_settings_are_sound(platform));
  TRY(memory_policy_is_sound(platform));
  TRY(personality_is_known(platform));
  TRY(rdt_is_sound(platform));
  TRY(validate_sysctl(spec));
  if (platform.resources) TRY(validate_resources(*platform.resources, "/linux/resources"));
  if (platform.seccomp) TRY(validate_seccomp(*platform.seccomp));
  return {};
}

}  // namespace berth::spec
