// SPDX-License-Identifier: Apache-2.0
#include "cgroup/usage.h"

#include "cgroup/writes.h"
#include "core/format.h"

namespace berth::cgroup {
namespace {

// A limit's file ends in one of these, and its usage in the other. The more exact ones first.
struct Ending {
  std::string_view limit, usage, peak;
};
constexpr Ending kEndings[] = {
    {"memory.soft_limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes"},
    {".limit_in_bytes", ".usage_in_bytes", ".max_usage_in_bytes"},
    {"memory.high", "memory.current", "memory.peak"},
    {"memory.low", "memory.current", "memory.peak"},
    {"memory.min", "memory.current", "memory.peak"},
    {"swap.high", "swap.current", "swap.peak"},
    {".max", ".current", ".peak"},
};

// Of the files *.max those whose usage is one number; io.max and cpu.max have none.
bool is_counted(std::string_view file) {
  return !file.ends_with(".max") || file.starts_with("memory.") || file.starts_with("pids.") ||
         file.starts_with("hugetlb.");
}

std::string value_in(const Directory& directory, const std::string& file) {
  const Result<std::string> text = directory.read(file);
  return text ? std::string(trimmed(*text)) : std::string();
}

// What of the list the cgroups above leave: v2, v1.
std::string set_note(const Directory& directory, std::string_view file) {
  const std::string kind(file.substr(file.find('.') + 1));
  std::string available = value_in(directory, formatted("cpuset.{}.effective", kind));
  if (available.empty()) available = value_in(directory, formatted("cpuset.effective_{}", kind));
  return available.empty() ? "" : formatted(" (in force: {})", available);
}

}  // namespace

UsageFiles usage_files(std::string_view limit_file) {
  if (!is_counted(limit_file)) return {};
  for (const Ending& ending : kEndings) {
    if (!limit_file.ends_with(ending.limit)) continue;
    const std::string stem(limit_file.substr(0, limit_file.size() - ending.limit.size()));
    return {stem + std::string(ending.usage), stem + std::string(ending.peak)};
  }
  return {};
}

std::string usage_note(const Directory& directory, std::string_view limit_file) {
  if (limit_file == "cpuset.cpus" || limit_file == "cpuset.mems")
    return set_note(directory, limit_file);
  const UsageFiles files = usage_files(limit_file);
  if (files.usage.empty()) return {};
  const std::string usage = value_in(directory, files.usage);
  if (usage.empty()) return {};
  const std::string peak = value_in(directory, files.peak);
  return formatted(" (current usage: {}, peak usage: {})", usage, peak.empty() ? "unknown" : peak);
}

}  // namespace berth::cgroup
