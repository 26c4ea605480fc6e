// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.h"

namespace berth::plan {

// A container of one program has none of the first, but what is mounted in all containers.
std::vector<ToolPlace> plan_tool_places(std::string_view place) {
  while (place.starts_with('/')) place.remove_prefix(1);
  if (!place.empty()) return {{std::string(place), false}};
  return {{"mnt", true}, {"media", true},         {"srv", true},
          {"opt", true}, {"sys/firmware", false}, {"proc/fs", false}};
}

}  // namespace berth::plan
