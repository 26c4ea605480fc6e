// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "cli/options.h"

namespace berth::cli {

inline constexpr int kFailure = 1;

// What the program exits with when a command fails: 1, and 255 for exec, whose 1 could be the
// process's own. A command line that can not be read is always 1.
int exit_code_of_failure(const Invocation& invocation, bool command_ran);

}  // namespace berth::cli
