// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <span>

#include "berth/try.h"
#include "plan/make_plan.h"
#include "plan/plan_unit.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

constexpr const char* kPathPointer = "/linux/cgroupsPath";

// Without "." and doubled slashes; ".." and control characters are refused.
Result<std::string> clean_path(std::string_view path) {
  for (const char each : path) {
    if (static_cast<unsigned char>(each) < ' ' || each == 0x7f) {
      return refuse(kPathPointer, ErrorKind::InvalidConfig,
                    "the cgroup path has a control character");
    }
  }
  std::string clean;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    if (part == "..")
      return refuse(kPathPointer, ErrorKind::InvalidConfig,
                    "the cgroup path has a component \"..\"");
    if (!part.empty() && part != ".") clean += "/" + std::string(part);
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  if (clean.empty())
    return refuse(kPathPointer, ErrorKind::InvalidConfig,
                  "the cgroup path names the root of the hierarchy");
  return clean;
}

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

// Where a path that is not absolute begins. The runtime's own cgroup holds processes, so that on v2
// nothing below it could have controllers: there it is the parent.
std::string base_of(const CgroupHierarchy& hierarchy, CgroupLayout layout) {
  std::string own = hierarchy.own_path;
  while (own.ends_with('/')) own.pop_back();
  if (own.starts_with("/..")) return {};  // the runtime is outside of what it sees
  return layout == CgroupLayout::V2 && !own.empty() ? parent_of(own) : own;
}

// The same place in each hierarchy: systemd makes it in those that it manages, berth in the others.
std::vector<CgroupPlace> places_of_unit(const UnitPlan& unit, const HostFacts& facts) {
  const std::string path = path_of_unit(unit, facts.systemd_root);
  std::vector<CgroupPlace> places;
  for (const CgroupHierarchy& hierarchy : facts.hierarchies)
    places.push_back({hierarchy.controllers, hierarchy.mountpoint, path, hierarchy.is_v2});
  return places;
}

Result<std::vector<CgroupPlace>> plan_places(const spec::Spec& spec, const HostFacts& facts,
                                             const Request& request) {
  const std::string& asked =
      spec.platform.cgroups_path.empty() ? request.id : spec.platform.cgroups_path;
  const std::string path = TRY(clean_path(asked));
  const bool absolute = asked.starts_with('/');
  std::vector<CgroupPlace> places;
  for (const CgroupHierarchy& hierarchy : facts.hierarchies) {
    const std::string base = absolute ? std::string() : base_of(hierarchy, facts.cgroup_layout);
    places.push_back({hierarchy.controllers, hierarchy.mountpoint, base + path, hierarchy.is_v2});
  }
  return places;
}

bool is_read_write(const spec::Mount& mount) {
  bool read_only = false;
  for (const std::string& option : mount.options) {
    if (option == "ro") read_only = true;
    if (option == "rw") read_only = false;
  }
  return !read_only;
}

// config-linux.md, "Cgroup ownership": v2, a cgroup namespace of its own, and cgroupfs writable
// inside.
bool is_delegated(const spec::Spec& spec, const HostFacts& facts) {
  if (facts.cgroup_layout != CgroupLayout::V2) return false;
  const bool own_namespace =
      std::ranges::any_of(spec.platform.namespaces, [](const spec::Namespace& each) {
        return each.type == spec::NamespaceType::Cgroup && each.path.empty();
      });
  const bool writable = std::ranges::any_of(spec.mounts, [](const spec::Mount& mount) {
    return (mount.type == "cgroup" || mount.type == "cgroup2") && is_read_write(mount);
  });
  return own_namespace && writable;
}

// The container's root on the host, unless it is the owner anyway.
std::optional<uid_t> delegate_owner(const spec::Spec& spec, const HostFacts& facts) {
  for (const spec::IdMapping& mapping : spec.platform.uid_mappings) {
    if (mapping.container_id == 0 && mapping.size > 0 && mapping.host_id != facts.euid)
      return mapping.host_id;
  }
  return {};
}

Result<CgroupPlan> plan_none(const CgroupPlan& plan, std::span<const CgroupWrite> writes,
                             std::vector<std::string>& warnings) {
  if (writes.empty()) return plan;
  if (plan.driver == CgroupDriver::Disabled) {
    warnings.emplace_back("/linux/resources is ignored: cgroups are disabled by --cgroup-manager");
    return plan;
  }
  return refuse(writes.front().pointer, ErrorKind::Unsupported,
                "no cgroup filesystem is mounted at /sys/fs/cgroup");
}

Result<std::vector<CgroupWrite>> plan_writes(const spec::Spec& spec, const HostFacts& facts,
                                             std::vector<std::string>& warnings) {
  if (!spec.platform.resources) return std::vector<CgroupWrite>();
  const bool v1 =
      facts.cgroup_layout == CgroupLayout::V1 || facts.cgroup_layout == CgroupLayout::Hybrid;
  return v1 ? plan_cgroup_v1(*spec.platform.resources, warnings)
            : plan_cgroup_v2(*spec.platform.resources, warnings);
}

}  // namespace

Result<CgroupPlan> plan_cgroup(const spec::Spec& spec, const HostFacts& facts,
                               const Request& request, std::vector<std::string>& warnings) {
  CgroupPlan plan = {.driver = request.cgroup_driver};
  std::vector<CgroupWrite> writes = TRY(plan_writes(spec, facts, warnings));
  plan.tolerate_denied = request.rootless || facts.euid != 0 || facts.in_user_namespace;
  if (plan.driver == CgroupDriver::Disabled || facts.hierarchies.empty())
    return plan_none(plan, writes, warnings);
  if (plan.driver == CgroupDriver::Systemd) {
    plan.unit = TRY(plan_unit(spec, facts, request));
    plan.places = places_of_unit(plan.unit, facts);
  } else {
    plan.places = TRY(plan_places(spec, facts, request));
  }
  plan.writes = std::move(writes);
  // Only the initial user namespace's root may load a device filter.
  plan.limits_devices = facts.euid == 0 && !facts.in_user_namespace;
  if (plan.limits_devices) plan.devices = plan_device_rules(spec);
  const std::optional<uid_t> owner = delegate_owner(spec, facts);
  plan.delegate = owner && is_delegated(spec, facts);
  if (plan.delegate) plan.delegate_uid = *owner;
  return plan;
}

}  // namespace berth::plan
