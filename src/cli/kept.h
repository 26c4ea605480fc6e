// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.h"
#include "driver/keeper.h"

namespace berth::cli {

// The directory of a container's state.
Result<std::string> state_directory(const Invocation& invocation, const std::string& id);

// --detach-keys of run and exec: the program's terminal is held by a keeper, a fork of this
// program, and we only look at it. The exit code: the program's, or 0 when we have left.
Result<int> stay_with_keeper(const Invocation& invocation, driver::KeeperOrders orders);

}  // namespace berth::cli
