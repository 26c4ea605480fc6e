// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"
#include "plan/plan.h"

// The pieces of plan_mounts. Each adds to an item whose pointer, target and type are set.
namespace berth::plan {

// Where one mount's words are sorted to.
struct MountOptions {
  MountItem& item;
  std::vector<std::string>& warnings;
};

// The words of options, in order: the last one wins.
Result<> sort_options(const spec::Mount& mount, MountOptions target);

// idmap, ridmap, uidMappings: whose ids the files of a bind get.
Result<> plan_mount_ids(const spec::Spec& spec, const spec::Mount& mount, const HostFacts& facts,
                        MountItem& item);

// Type overlay: more layers than one value of fsconfig(2) holds.
void plan_overlay(MountItem& item);

// Type cgroup: what of the host's hierarchies is shown.
Result<> plan_cgroup_mount(const HostPlan& host, const HostFacts& facts, MountOptions target);

}  // namespace berth::plan
