// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <vector>

#include "berth/error.h"
#include "init/lxcfs.h"

namespace berth::engine {

// Has them done by one process after the other, so that the caller's memory is copied once. When a
// container keeps its process waiting, another one goes on with the rest; one that takes longer
// than the limit is left undone.
Result<> work_through(const std::vector<init::LxcfsWork*>& works, std::chrono::milliseconds limit);

}  // namespace berth::engine
