// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"

// What the words of a command line mean. Errors are InvalidUse and quote the word.
namespace berth::cli {

// "a:b:c": without the separators; an empty text has no parts.
std::vector<std::string> split(std::string_view text, char separator);
Result<int64_t> parse_integer(std::string_view text);
Result<uint64_t> parse_unsigned(std::string_view text);
// "512", "64k", "1.5g", "2MiB": bytes, with 1024 between the units; -1 stays -1.
Result<int64_t> parse_size(std::string_view text);
// "5s", "500ms", "1m30s": nanoseconds.
Result<int64_t> parse_duration(std::string_view text);
// "KILL", "sigkill", "9", "RTMIN+3".
Result<int> parse_signal(std::string_view text);

}  // namespace berth::cli
