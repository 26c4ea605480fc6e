// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "cgroup/directory.h"

namespace berth::cgroup {

// What the kernel counts against a limit, as the names of its files. Empty: it does not.
struct UsageFiles {
  std::string usage = {};
  std::string peak = {};
  bool operator==(const UsageFiles&) const = default;
};
UsageFiles usage_files(std::string_view limit_file);

// " (current usage: 9064448, peak usage: 9068544)" for a limit that was refused, " (in force: 0-3)"
// for a set; empty when there is nothing to say.
std::string usage_note(const Directory& directory, std::string_view limit_file);

}  // namespace berth::cgroup
