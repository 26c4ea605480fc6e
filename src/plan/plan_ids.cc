// SPDX-License-Identifier: Apache-2.0
#include <linux/capability.h>

#include <algorithm>

#include "berth/try.h"
#include "plan/id_map.h"
#include "plan/make_plan.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

using spec::IdMapping;

bool holds(const HostFacts& facts, int capability) {
  return (facts.capabilities >> capability & 1) != 0;
}

// The one map that the kernel lets anybody write.
bool is_own_id(const std::vector<IdMapping>& mappings, uint32_t own) {
  return mappings.size() == 1 && mappings[0].host_id == own && mappings[0].size == 1;
}

// nullptr: the container stays in the caller's.
const spec::Namespace* user_namespace(const spec::Spec& spec) {
  const auto& list = spec.platform.namespaces;
  const auto found = std::ranges::find(list, spec::NamespaceType::User, &spec::Namespace::type);
  return found == list.end() ? nullptr : &*found;
}

}  // namespace

Result<IdPlan> plan_ids(const spec::Spec& spec, const HostFacts& facts) {
  const spec::Namespace* wanted = user_namespace(spec);
  if (wanted == nullptr && !holds(facts, CAP_SYS_ADMIN)) {
    return refuse("/linux/namespaces", ErrorKind::InvalidConfig,
                  "without privileges a container needs a user namespace: add {{\"type\": "
                  "\"user\"}} with uidMappings and "
                  "gidMappings");
  }
  if (wanted == nullptr || !wanted->path.empty()) return IdPlan{};
  const spec::Linux& platform = spec.platform;
  if (platform.uid_mappings.empty()) {
    return refuse("/linux/uidMappings", ErrorKind::InvalidConfig,
                  "a new user namespace needs uidMappings");
  }
  if (platform.gid_mappings.empty()) {
    return refuse("/linux/gidMappings", ErrorKind::InvalidConfig,
                  "a new user namespace needs gidMappings");
  }
  const bool may_map = holds(facts, CAP_SETUID) && holds(facts, CAP_SETGID);
  const bool only_own =
      is_own_id(platform.uid_mappings, facts.euid) && is_own_id(platform.gid_mappings, facts.egid);
  const bool use_helpers = facts.euid != 0 && !may_map && !only_own;
  return IdPlan{.maps = true,
                .uid_map = map_text(platform.uid_mappings),
                .gid_map = map_text(platform.gid_mappings),
                // newgidmap decides by itself whether groups may be dropped.
                .deny_setgroups = !holds(facts, CAP_SETGID) && !use_helpers,
                .use_helpers = use_helpers};
}

}  // namespace berth::plan
