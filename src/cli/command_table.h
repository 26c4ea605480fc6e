// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "cli/options.h"

namespace berth::cli {

std::span<const Option> global_options();
std::span<const Command> all_commands();  // hidden ones too
const Command* find_command(std::string_view name);

}  // namespace berth::cli
