// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "cli/options.h"

// Everything that is generated from the table of commands.
namespace berth::cli {

std::string help_text();
std::string help_text(const Command& command);

// "-b, --bundle=DIR"
std::string option_label(const Option& option);

// bash, zsh or fish.
Result<std::string> completion(std::string_view shell);

// The scdoc source of "berth" or "berth-COMMAND".
Result<std::string> manual_page(std::string_view page);

}  // namespace berth::cli
