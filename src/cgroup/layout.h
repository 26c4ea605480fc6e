// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "plan/host_facts.h"

namespace berth::cgroup {

// Fills cgroup_layout and hierarchies: what is mounted at /sys/fs/cgroup and where the calling
// process is in it.
Result<> gather_layout(plan::HostFacts& facts);

// One line of /proc/self/cgroup.
struct Membership {
  std::vector<std::string> controllers = {};  // empty: the unified hierarchy
  std::string path = {};
};
std::vector<Membership> parse_memberships(std::string_view text);

// The own path below a mount that shows the hierarchy from `root` on.
std::string below_root(std::string_view own_path, std::string_view root);

}  // namespace berth::cgroup
