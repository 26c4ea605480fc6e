// SPDX-License-Identifier: Apache-2.0
#include "cli/log_socket.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "cli/output.h"
#include "core/context.h"

namespace berth::cli {
namespace {

constexpr std::string_view kJournal = "/run/systemd/journal/socket";
constexpr std::string_view kSyslog = "/dev/log";
constexpr int kUserFacility = 1 << 3;

// As syslog(3) counts.
int priority_of(LogLevel level) {
  switch (level) {
    case LogLevel::Error: return 3;
    case LogLevel::Warning: return 4;
    case LogLevel::Info: return 6;
    case LogLevel::Debug: return 7;
  }
  return 3;
}

// The journal's form for a value that may hold line ends: its size, little-endian, before it.
std::string field(std::string_view name, std::string_view value) {
  std::string text = std::string(name) + '\n';
  for (int shift = 0; shift < 64; shift += 8)
    text += static_cast<char>(static_cast<uint64_t>(value.size()) >> shift & 0xff);
  return text.append(value) + '\n';
}

}  // namespace

std::string LogSocket::message(LogLevel level, std::string_view text) const {
  if (!journal)
    return formatted("<{}>{}[{}]: {}", kUserFacility | priority_of(level), tag, getpid(), text);
  return field("PRIORITY", std::to_string(priority_of(level))) + field("SYSLOG_IDENTIFIER", tag) +
         field("MESSAGE", text);
}

std::optional<LogSocket> log_socket_of(std::string_view target) {
  LogSocket socket;
  for (std::string_view scheme : {"journald:", "syslog:"}) {
    if (!target.starts_with(scheme)) continue;
    socket.journal = scheme[0] == 'j';
    socket.tag = target.substr(scheme.size());
    if (socket.tag.empty()) socket.tag = program_name();
    return socket;
  }
  return std::nullopt;
}

Result<> connect_log(LogSocket& log) {
  const auto path = log.journal ? kJournal : kSyslog;
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, path.data(), path.size());
  int descriptor = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return system_error(errno, "make a socket for the log");
  if (connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    int problem = errno;
    close(descriptor);
    return system_error(problem, "nobody takes the log at {}", path);
  }
  log.descriptor = descriptor;
  return {};
}

}  // namespace berth::cli
