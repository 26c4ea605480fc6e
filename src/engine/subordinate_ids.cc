// SPDX-License-Identifier: Apache-2.0
#include "engine/subordinate_ids.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <charconv>
#include <optional>
#include <string>

#include "os/file.h"

namespace berth::engine {
namespace {

constexpr size_t kMostText = 1 << 20;

// Takes the text up to the separator off.
std::string_view next(std::string_view& text, char separator) {
  const size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

std::optional<uint32_t> number(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

bool is_installed(const std::string& program) {
  const char* path = ::getenv("PATH");
  for (std::string_view rest = path == nullptr ? "" : path; !rest.empty();) {
    const std::string file = std::string(next(rest, ':')) + "/" + program;
    if (::access(file.c_str(), X_OK) == 0) return true;
  }
  return false;
}

std::string text_of(const char* path) {
  return os::read_file_at(AT_FDCWD, path, kMostText).value_or(std::string());
}

}  // namespace

plan::IdRange find_range(std::string_view text, std::string_view name, uid_t uid) {
  while (!text.empty()) {
    std::string_view line = next(text, '\n');
    const std::string_view owner = next(line, ':');
    if (owner.empty() || (owner != name && number(owner) != uid)) continue;
    const std::optional<uint32_t> first = number(next(line, ':'));
    const std::optional<uint32_t> size = number(line);
    if (first && size && *size > 0) return {.first = *first, .size = *size};
  }
  return {};
}

std::string_view find_name(std::string_view passwd, uid_t uid) {
  while (!passwd.empty()) {
    std::string_view line = next(passwd, '\n');
    const std::string_view name = next(line, ':');
    (void)next(line, ':');
    if (number(next(line, ':')) == uid) return name;
  }
  return {};
}

void gather_subordinate_ids(plan::HostFacts& facts) {
  if (!is_installed("newuidmap") || !is_installed("newgidmap")) return;
  const std::string passwd = text_of("/etc/passwd");
  const std::string_view name = find_name(passwd, facts.euid);
  facts.subordinate_uids = find_range(text_of("/etc/subuid"), name, facts.euid);
  facts.subordinate_gids = find_range(text_of("/etc/subgid"), name, facts.euid);
}

}  // namespace berth::engine
