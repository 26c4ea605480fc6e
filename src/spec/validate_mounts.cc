// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/try.h"
#include "spec/mount_options.h"
#include "spec/paths.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

// What lxcfs and the like may cover below /proc; anything else there could hide from a masked path
// or a LSM.
constexpr std::string_view kCoverableInProc[] = {"/proc/cpuinfo",
                                                 "/proc/diskstats",
                                                 "/proc/loadavg",
                                                 "/proc/meminfo",
                                                 "/proc/slabinfo",
                                                 "/proc/stat",
                                                 "/proc/swaps",
                                                 "/proc/sys/crypto/fips_enabled",
                                                 "/proc/sys/kernel/ns_last_pid",
                                                 "/proc/uptime"};

bool has_option(const Mount& mount, MountOptionKind kind) {
  return std::ranges::any_of(mount.options, [kind](const std::string& name) {
    const MountOption* option = find_mount_option(name);
    return option != nullptr && option->kind == kind;
  });
}

// Whether a bind's source really is a procfs is seen when it is opened.
Result<> proc_stays_proc(const Mount& mount, size_t index) {
  const std::string destination = cleaned_path(mount.destination);
  const std::string pointer = formatted("/mounts/{}/destination", index);
  if (destination == "/proc") {
    const bool bind = mount.type == "bind" || has_option(mount, MountOptionKind::Bind);
    const bool proc = bind ? cleaned_path(mount.source) == "/proc" : mount.type == "proc";
    if (!proc) return invalid(pointer, "only a proc filesystem may be mounted on /proc");
  }
  if (destination.starts_with("/proc/") &&
      std::ranges::find(kCoverableInProc, destination) == std::end(kCoverableInProc)) {
    return invalid(pointer, "{} must not be covered by a mount", destination);
  }
  return {};
}

Result<> maps_are_sound(const Spec& spec, const Mount& mount, size_t index) {
  const std::string pointer = formatted("/mounts/{}", index);
  if (mount.uid_mappings.has_value() != mount.gid_mappings.has_value()) {
    return invalid(pointer, "uidMappings and gidMappings must be given both or not at all");
  }
  if (mount.uid_mappings) {
    TRY(validate_mappings(*mount.uid_mappings, pointer + "/uidMappings"));
    return validate_mappings(*mount.gid_mappings, pointer + "/gidMappings");
  }
  const bool no_user_namespace = find_namespace(spec.platform, NamespaceType::User) == nullptr;
  if (no_user_namespace && has_option(mount, MountOptionKind::IdMap)) {
    return invalid(pointer + "/options",
                   "idmap needs uidMappings and gidMappings, or a user namespace");
  }
  return {};
}

}  // namespace

Result<> validate_mounts(const Spec& spec) {
  for (size_t i = 0; i < spec.mounts.size(); ++i) {
    const Mount& mount = spec.mounts[i];
    if (mount.destination.empty())
      return invalid(formatted("/mounts/{}/destination", i), "must not be empty");
    TRY(proc_stays_proc(mount, i));
    TRY(maps_are_sound(spec, mount, i));
  }
  return {};
}

}  // namespace berth::spec
