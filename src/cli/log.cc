// SPDX-License-Identifier: Apache-2.0
#include "cli/log.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "berth/try.h"
#include "cli/log_socket.h"
#include "cli/output.h"
#include "core/context.h"

namespace berth::cli {
namespace {

enum class Form { Plain, Text, Json };

struct Line {
  LogLevel level;
  std::string text;
};

struct Log {
  int descriptor = STDERR_FILENO;
  Form form = Form::Plain;
  LogLevel level = LogLevel::Info;
  std::optional<LogSocket> socket = {};  // instead of the descriptor's lines
  // Engines read the file of a command that failed as one object: it must hold the error only.
  std::vector<Line> held = {};

  bool holds(LogLevel line) const {
    return line != LogLevel::Error && level != LogLevel::Debug && form == Form::Json &&
           descriptor != STDERR_FILENO;
  }
};
Log sink;

std::string_view to_text(LogLevel level) {
  switch (level) {
    case LogLevel::Error: return "error";
    case LogLevel::Warning: return "warning";
    case LogLevel::Info: return "info";
    case LogLevel::Debug: return "debug";
  }
  return "error";
}

LogLevel level_of(std::string_view name) {
  for (auto level : {LogLevel::Error, LogLevel::Warning, LogLevel::Info}) {
    if (to_text(level) == name) return level;
  }
  return LogLevel::Debug;
}

// RFC 3339 in UTC.
std::string now() {
  timespec clock = {};
  clock_gettime(CLOCK_REALTIME, &clock);
  tm parts = {};
  gmtime_r(&clock.tv_sec, &parts);
  return formatted("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900,
                   parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec,
                   clock.tv_nsec / 1000);
}

// What is known of an error beyond its text, as members of a JSON object.
std::string members(const Error& error) {
  auto text = formatted(",\"kind\":{}", quoted(to_string(error.kind())));
  if (error.os_error() != 0) text += formatted(",\"errno\":{}", error.os_error());
  if (!error.step().empty()) text += formatted(",\"step\":{}", quoted(error.step()));
  if (!error.pointer().empty()) text += formatted(",\"pointer\":{}", quoted(error.pointer()));
  return text;
}

std::string plain_line(LogLevel level, std::string_view text) {
  if (level == LogLevel::Error) return formatted("{}: {}\n", program_name(), text);
  return formatted("{}: {}: {}\n", program_name(), to_text(level), text);
}

void write_line(LogLevel level, std::string_view text, std::string_view more) {
  std::string line;
  if (sink.socket) {
    (void)write_all(sink.descriptor, sink.socket->message(level, text));
    return;
  }
  switch (sink.form) {
    case Form::Plain: line = plain_line(level, text); break;
    case Form::Text:
      line = formatted("time=\"{}\" level={} msg={}\n", now(), to_text(level), quoted(text));
      break;
    case Form::Json:
      line = formatted("{{\"level\":\"{}\",\"msg\":{},\"time\":\"{}\"{}}}\n", to_text(level),
                       quoted(text), now(), more);
      break;
  }
  // A log that can not be written has nowhere to complain.
  (void)write_all(sink.descriptor, line);
}

Result<int> open_target(std::string path) {
  if (auto socket = log_socket_of(path)) {
    TRY(connect_log(*socket));
    sink.socket = std::move(socket);
    return sink.socket->descriptor;
  }
  if (path.starts_with("file:")) path.erase(0, 5);
  int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (descriptor < 0) return system_error(errno, "open the log file {}", path);
  return descriptor;
}

}  // namespace

Result<> open_log(const Arguments& globals) {
  bool debug = globals.on("debug");
  auto format = globals.text("log-format");
  if (globals.given("log-level")) sink.level = level_of(globals.text("log-level"));
  if (debug) sink.level = LogLevel::Debug;
  if (format == "json") {
    sink.form = Form::Json;
  } else if (format == "text" || globals.given("log") || sink.level == LogLevel::Debug) {
    sink.form = Form::Text;
  }
  auto path = globals.text("log");
  if (path.empty()) return {};
  auto opened = open_target(path);
  if (!opened) {
    sink.form = Form::Plain;
    return std::unexpected(std::move(opened).error());
  }
  sink.descriptor = *opened;
  return {};
}

void log(LogLevel level, std::string_view text) {
  if (level > sink.level) return;
  if (sink.holds(level)) {
    sink.held.push_back({level, std::string(text)});
  } else {
    write_line(level, text, {});
  }
}

void write_held_lines() {
  for (const auto& line : std::exchange(sink.held, {})) write_line(line.level, line.text, {});
}

void log_error(const Error& error) {
  auto text = error.message();
  for (const auto& line : std::exchange(sink.held, {}))
    (void)write_all(STDERR_FILENO, plain_line(line.level, line.text));
  write_line(LogLevel::Error, text, members(error));
  if (sink.descriptor != STDERR_FILENO) {
    (void)write_all(STDERR_FILENO, plain_line(LogLevel::Error, text));
  }
}

}  // namespace berth::cli
