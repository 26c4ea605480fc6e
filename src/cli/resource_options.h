// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "berth/resources.h"
#include "cli/options.h"

namespace berth::cli {

// The options for limits that update and box share (command_table.cc).
Result<Resources> resources_of_options(const Arguments& arguments);

}  // namespace berth::cli
