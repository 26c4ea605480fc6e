// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "engine/live/inside.h"
#include "os/fd.h"
#include "plan/plan.h"

namespace berth::engine {

// A mount that is made and attached nowhere yet: it is gone with its descriptor.
struct DetachedMount {
  os::UniqueFd fd = {};
  int id = 0;               // STATX_MNT_ID: stays when it is attached
  std::string device = {};  // "8:1", of its filesystem
  bool is_directory = false;
};

// Of the calling thread's namespaces, with its attributes; private unless the plan says otherwise.
// Ids are mapped as for a container's own mounts, and a tmpfs is the container's root's.
// Unsupported: what only a new container can have (tmpcopyup, cgroup hierarchies, remount).
[[gnu::cold]] Result<DetachedMount> make_detached(const Inside& inside,
                                                  const plan::MountItem& item);

}  // namespace berth::engine
