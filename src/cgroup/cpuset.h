// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "cgroup/directory.h"

namespace berth::cgroup {

// v1: a cpuset without cpus and mems takes no process: copies both down from the nearest ancestor
// that has them, into each level that is empty.
Result<> fill_cpuset(const Directory& directory);

}  // namespace berth::cgroup
