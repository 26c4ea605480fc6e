// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/context.h"

namespace berth::cli {
namespace {

std::string_view program = "berth";

// How many bytes the UTF-8 sequence at the start of text has; 0 when it is none.
size_t sequence_length(std::string_view text) {
  auto byte = [&](size_t index) { return static_cast<unsigned char>(text[index]); };
  size_t length = byte(0) < 0x80   ? 1
                  : byte(0) < 0xc2 ? 0
                  : byte(0) < 0xe0 ? 2
                  : byte(0) < 0xf0 ? 3
                  : byte(0) < 0xf5 ? 4
                                   : 0;
  if (length == 0 || length > text.size()) return 0;
  for (size_t index = 1; index < length; ++index) {
    if ((byte(index) & 0xc0) != 0x80) return 0;
  }
  bool overlong = (byte(0) == 0xe0 && byte(1) < 0xa0) || (byte(0) == 0xf0 && byte(1) < 0x90);
  bool no_character = (byte(0) == 0xed && byte(1) > 0x9f) || (byte(0) == 0xf4 && byte(1) > 0x8f);
  return overlong || no_character ? 0 : length;
}

}  // namespace

Result<> write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    ssize_t written = write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error(errno, "write");
    text.remove_prefix(static_cast<size_t>(written));
  }
  return {};
}

Result<> print(std::string_view text) {
  return write_all(STDOUT_FILENO, text) | context("standard output");
}

Result<std::string> read_text(const std::string& path) {
  int descriptor = path == "-" ? STDIN_FILENO : open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return system_error(errno, "open {}", path);
  std::string text;
  char buffer[16384];
  ssize_t count = 0;
  while ((count = read(descriptor, buffer, sizeof buffer)) != 0) {
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) break;
    text.append(buffer, static_cast<size_t>(count));
  }
  int problem = errno;
  if (descriptor != STDIN_FILENO) close(descriptor);
  if (count < 0) return system_error(problem, "read {}", path);
  return text;
}

std::string quoted(std::string_view text) {
  std::string json = "\"";
  while (!text.empty()) {
    size_t length = sequence_length(text);
    auto byte = static_cast<unsigned char>(text[0]);
    if (length == 0) {
      json += "\xef\xbf\xbd";
    } else if (byte == '"' || byte == '\\') {
      json += {'\\', text[0]};
    } else if (byte == '\n') {
      json += "\\n";
    } else if (byte == '\t') {
      json += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      json += formatted("\\u{:04x}", byte);
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return json + '"';
}

std::string_view program_name() { return program; }

void set_program_name(std::string_view path) {
  program = path.substr(path.rfind('/') + 1) == "runc" ? "runc" : "berth";
}

}  // namespace berth::cli
