// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

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
// Unsupported: what only a new container can have (tmpcopyup, cgroup hierarchies, remount).
[[gnu::cold]] Result<DetachedMount> make_detached(const plan::MountItem& item);

}  // namespace berth::engine
