// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/driver.h"
#include "cli/detach_keys.h"
#include "cli/options.h"

namespace berth::cli {

// What the options and words of `berth box` describe.
Result<berth::Command> read_command(const Arguments& arguments);

// --detach-keys.
Result<DetachKeys> detach_keys(const Arguments& arguments);

}  // namespace berth::cli
