// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "berth/error.h"

namespace berth::cli {

// All of text to a descriptor: what is not written is an error, not a silence.
Result<> write_all(int descriptor, std::string_view text);
// To standard output.
Result<> print(std::string_view text);

// All of a file; "-" is standard input.
Result<std::string> read_text(const std::string& path);

// A JSON string with its quotes.
std::string quoted(std::string_view text);

// "berth", or "runc" when the program was called by that name: some callers of a drop-in read it.
std::string_view program_name();
void set_program_name(std::string_view path);

}  // namespace berth::cli
