// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "berth/error.h"
#include "cli/options.h"

namespace berth::cli {

enum class LogLevel { Error, Warning, Info, Debug };

// From --log, --log-format, --log-level and --debug. On failure the log stays what it was: plain,
// on standard error.
Result<> open_log(const Arguments& globals);

void log(LogLevel level, std::string_view text);

// A log file of JSON gets warnings only once the command has not failed: its program runs, or it is
// done.
void write_held_lines();

// The last words of a failing command: one line in the log and, when the log is a file, one on
// standard error.
void log_error(const Error& error);

}  // namespace berth::cli
