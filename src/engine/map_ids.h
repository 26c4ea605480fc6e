// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "berth/error.h"
#include "plan/plan.h"

namespace berth::engine {

// Writes the maps of a process that is in a new user namespace (user_namespaces(7)): directly, or
// through newuidmap(1) and newgidmap(1) where the caller may not.
Result<> map_ids(const plan::IdPlan& plan, pid_t process);

}  // namespace berth::engine
