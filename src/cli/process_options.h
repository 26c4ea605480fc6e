// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/update.h"
#include "cli/options.h"

namespace berth::cli {

// --oom-score-adj, --rlimit, --cpu-affinity, --io-priority, --scheduler. The words of config.json
// are taken, and without their first part, in any case: "SCHED_FIFO:5" or "fifo:5".
Result<ProcessAttributes> read_process_options(const Arguments& arguments);
// The first two of them, which is what box has.
Result<ProcessAttributes> read_limits_of_process(const Arguments& arguments);

}  // namespace berth::cli
