// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "berth/error.h"
#include "cli/log.h"

namespace berth::cli {

// "journald:TAG" or "syslog:TAG" of --log.
struct LogSocket {
  bool journal = false;
  std::string tag;
  int descriptor = -1;

  // One message for a line of the log, in the receiver's own form.
  std::string message(LogLevel level, std::string_view text) const;
};

// nullopt: the name of a file.
std::optional<LogSocket> log_socket_of(std::string_view target);
Result<> connect_log(LogSocket& log);

}  // namespace berth::cli
