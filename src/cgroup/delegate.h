// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "berth/error.h"
#include "cgroup/directory.h"

namespace berth::cgroup {

// v2: gives the directory and the files of /sys/kernel/cgroup/delegate to `owner` (config-linux.md,
// "Cgroup ownership").
Result<> delegate_directory(const Directory& directory, uid_t owner);

}  // namespace berth::cgroup
