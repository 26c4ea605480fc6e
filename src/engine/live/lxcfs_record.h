// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "berth/lxcfs.h"

namespace berth::engine {

// Writes to a container's record, as mounts of the request "lxcfs", the files that were mounted
// now, and what became of those that it had.
Result<> record_lxcfs(const RunningContainer& container, const LxcfsReport& report,
                      const std::string& directory);

}  // namespace berth::engine
