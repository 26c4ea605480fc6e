// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "core/format.h"
#include "spec/spec.h"

namespace berth::plan {

// The text of /proc/PID/uid_map or gid_map.
inline std::string map_text(const std::vector<spec::IdMapping>& mappings) {
  std::string text;
  for (const spec::IdMapping& item : mappings) {
    text += formatted("{} {} {}\n", item.container_id, item.host_id, item.size);
  }
  return text;
}

}  // namespace berth::plan
