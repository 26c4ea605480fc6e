// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>

#include <algorithm>
#include <charconv>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

// Its own id is the container's root; what it was lent comes after.
std::vector<spec::IdMapping> mapping(uint32_t own, const IdRange& lent) {
  std::vector<spec::IdMapping> mappings{{.container_id = 0, .host_id = own, .size = 1}};
  if (lent.size > 0)
    mappings.push_back({.container_id = 1, .host_id = lent.first, .size = lent.size});
  return mappings;
}

bool is_mapped(const std::vector<spec::IdMapping>& mappings, uint32_t id) {
  return std::ranges::any_of(mappings, [id](const spec::IdMapping& item) {
    return id >= item.container_id && id - item.container_id < item.size;
  });
}

// "gid=5" of a devpts, as everybody writes it, is for a root that has a group 5.
bool names_missing_group(const std::string& option, const spec::Linux& platform) {
  constexpr std::string_view kGroup = "gid=";
  if (!option.starts_with(kGroup)) return false;
  uint32_t group = 0;
  const char* end = option.data() + option.size();
  const auto [stop, error] = std::from_chars(option.data() + kGroup.size(), end, group);
  return error == std::errc() && stop == end && !is_mapped(platform.gid_mappings, group);
}

}  // namespace

std::optional<spec::Spec> with_user_namespace(const spec::Spec& spec, const HostFacts& facts) {
  const std::vector<spec::Namespace>& list = spec.platform.namespaces;
  const bool privileged = (facts.capabilities >> CAP_SYS_ADMIN & 1) != 0;
  const bool given =
      std::ranges::find(list, spec::NamespaceType::User, &spec::Namespace::type) != list.end();
  if (privileged || given) return std::nullopt;
  spec::Spec changed = spec;
  spec::Linux& platform = changed.platform;
  platform.namespaces.push_back({.type = spec::NamespaceType::User});
  // Both or none: newgidmap alone would not do.
  const bool lent = facts.subordinate_uids.size > 0 && facts.subordinate_gids.size > 0;
  platform.uid_mappings = mapping(facts.euid, lent ? facts.subordinate_uids : IdRange{});
  platform.gid_mappings = mapping(facts.egid, lent ? facts.subordinate_gids : IdRange{});
  for (spec::Mount& mount : changed.mounts) {
    if (mount.type != "devpts") continue;
    std::erase_if(mount.options, [&platform](const std::string& option) {
      return names_missing_group(option, platform);
    });
  }
  return changed;
}

}  // namespace berth::plan
