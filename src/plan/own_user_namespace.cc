// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>

#include <algorithm>

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
  return changed;
}

}  // namespace berth::plan
