// SPDX-License-Identifier: Apache-2.0
#include "engine/live/cgroup_id.h"

#include <algorithm>

namespace berth::engine {
namespace {

constexpr size_t kDigits = 64;

bool is_digit(char letter) {
  return (letter >= '0' && letter <= '9') || (letter >= 'a' && letter <= 'f');
}

// The last run of exactly that many digits.
std::string_view long_id(std::string_view path) {
  for (size_t end = path.size(); end > 0;) {
    size_t start = end;
    while (start > 0 && is_digit(path[start - 1])) --start;
    if (end - start == kDigits) return path.substr(start, end - start);
    end = start == end ? end - 1 : start;
  }
  return {};
}

std::string_view after(std::string_view text, std::string_view head) {
  return text.starts_with(head) ? text.substr(head.size()) : std::string_view();
}

// A folder of a cgroup, its name without what engines and systemd put around an id.
std::string_view short_id(std::string_view folder) {
  if (const std::string_view name = after(folder, "lxc.payload."); !name.empty()) return name;
  constexpr std::string_view kScope = ".scope";
  if (!folder.ends_with(kScope)) return folder.find('.') == folder.npos ? folder : "";
  folder.remove_suffix(kScope.size());
  if (folder.starts_with("session-") || folder.starts_with("init")) return {};
  const size_t dash = folder.find('-');
  return dash == folder.npos ? folder : folder.substr(dash + 1);
}

std::string_view id_in_path(std::string_view path) {
  if (const std::string_view id = long_id(path); !id.empty()) return id;
  const size_t slash = path.rfind('/');
  return slash == path.npos ? std::string_view() : short_id(path.substr(slash + 1));
}

}  // namespace

std::string id_in_cgroups(std::string_view text) {
  std::string_view best;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find('\n', start), text.size());
    const std::string_view line = text.substr(start, end - start);
    start = end + 1;
    const size_t colon = line.find(':', line.find(':') + 1);
    if (colon == line.npos) continue;
    const std::string_view id = id_in_path(line.substr(colon + 1));
    if (id.size() > best.size()) best = id;
  }
  return std::string(best);
}

}  // namespace berth::engine
