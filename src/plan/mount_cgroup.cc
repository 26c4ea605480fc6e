// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/try.h"
#include "plan/mount_item.h"
#include "plan/refuse.h"
#include "spec/paths.h"

namespace berth::plan {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

CgroupMountEntry entry_of(const CgroupPlace& place) {
  CgroupMountEntry entry{.name = place.mountpoint.substr(place.mountpoint.rfind('/') + 1),
                         .source = spec::cleaned_path(place.mountpoint + "/" + place.path)};
  if (place.is_v2) return entry;
  entry.options = joined(place.controllers);
  if (entry.options.starts_with("name=")) entry.options.insert(0, "none,");
  if (place.controllers.size() < 2) return entry;
  std::ranges::copy_if(place.controllers, std::back_inserter(entry.links),
                       [&](const std::string& name) { return name != entry.name; });
  return entry;
}

// Without a cgroup of its own the container shows the caller's.
std::vector<CgroupPlace> places_of(const HostPlan& host, const HostFacts& facts) {
  if (!host.cgroup.places.empty()) return host.cgroup.places;
  std::vector<CgroupPlace> places;
  for (const CgroupHierarchy& hierarchy : facts.hierarchies) {
    places.push_back({.controllers = hierarchy.controllers,
                      .mountpoint = hierarchy.mountpoint,
                      .path = hierarchy.own_path,
                      .is_v2 = hierarchy.is_v2});
  }
  return places;
}

// An ordinary user learns only when the cgroups are made which of them he may have.
std::string source_instead(const CgroupPlace& place, const HostPlan& host, const HostFacts& facts) {
  if (!host.cgroup.tolerate_denied) return {};
  for (const CgroupHierarchy& hierarchy : facts.hierarchies) {
    if (hierarchy.mountpoint == place.mountpoint)
      return spec::cleaned_path(hierarchy.mountpoint + "/" + hierarchy.own_path);
  }
  return {};
}

}  // namespace

Result<> plan_cgroup_mount(const HostPlan& host, const HostFacts& facts, MountOptions target) {
  MountItem& item = target.item;
  const bool only_v2 = item.fs_type == "cgroup2" || facts.cgroup_layout == CgroupLayout::V2;
  item.kind = only_v2 ? MountKind::CgroupV2 : MountKind::CgroupV1;
  item.cgroup_namespace = host.namespaces.has(spec::NamespaceType::Cgroup);
  for (const CgroupPlace& place : places_of(host, facts)) {
    if (only_v2 && !place.is_v2) continue;
    item.cgroups.push_back(entry_of(place));
    item.cgroups.back().source_instead = source_instead(place, host, facts);
  }
  if (item.cgroups.empty()) {
    return refuse(item.pointer, ErrorKind::Unsupported, "this host has no {} hierarchy mounted",
                  only_v2 ? "cgroup2" : "cgroup");
  }
  if (!only_v2) {
    for (const FilesystemOption& option : item.options) {
      target.warnings.push_back(
          formatted("{}: mount option {} has no effect here", item.pointer, option.key));
    }
    item.options.clear();
  }
  return {};
}

}  // namespace berth::plan
