// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "cli/options.h"

namespace berth::cli {

inline constexpr int kFailure = 1;
// Of `wait`: the container has ended, and nobody knows how.
inline constexpr int kUnknownExit = 254;

// What the program exits with when a command fails: 1, and 255 for exec and wait, whose 1 could
// be the process's own. A command line that can not be read is always 1.
int exit_code_of_failure(const Invocation& invocation, bool command_ran);

}  // namespace berth::cli
