// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "berth/error.h"
#include "cgroup/directory.h"

namespace berth::cgroup {

// Needed: where the ancestors are somebody else's (systemd's).
enum class Enable { All, Needed };

// v2: enables in every ancestor what the hierarchy offers, so that limits can be set later and
// counters be read. Fails only for the controllers that `writes` need.
// Nothing of that in a cgroup that holds processes itself: there only what the writes need.
Result<> enable_controllers(const Directory& directory, std::span<const plan::CgroupWrite> writes,
                            Enable which = Enable::All);

// v2: below a cgroup that holds processes itself the new one is made threaded (cgroup.type), or
// else it could hold none. Fails (WrongState) where the writes need a controller that threads
// cannot have.
Result<> make_habitable(const Directory& directory, std::span<const plan::CgroupWrite> writes);

}  // namespace berth::cgroup
