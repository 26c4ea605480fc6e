// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/running.h"
#include "cli/options.h"

namespace berth::cli {

using RunningContainers = std::vector<RunningContainer>;

// berth's, of the state root of the command.
Result<RunningContainers> own_containers(const Invocation& invocation);
// After them those of other runtimes.
Result<RunningContainers> all_containers(const Invocation& invocation);
// By its id; of another runtime also by the beginning of one that no other has.
Result<RunningContainer> choose(const RunningContainers& containers, const std::string& word,
                                bool scanned);
// --pid
Result<pid_t> parse_pid(const std::string& text);

}  // namespace berth::cli
