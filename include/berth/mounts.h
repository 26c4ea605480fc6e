// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"

// Mounts of a container that runs. Docs: docs/live-operations.md.
namespace [[gnu::visibility("default")]] berth {

// As an element of config.json's "mounts" (config.md, "Mounts").
struct LiveMount {
  std::string destination = {};  // absolute, in the container
  std::string type = {};         // empty with the option bind or rbind
  std::string source = {};       // of a bind: absolute, of the caller's mount namespace
  std::vector<std::string> options = {};
  bool operator==(const LiveMount&) const = default;
};

// From a JSON array of such objects. InvalidConfig: pointer() is into the text.
Result<std::vector<LiveMount>> parse_mounts(std::string_view text);

struct LiveMountState {
  std::string token = {};  // of the request that added it
  LiveMount mount = {};
  bool is_there = false;  // false: somebody in the container has unmounted it
};

// An array of objects, as `berth mounts list --format json` prints it.
std::string to_json(const std::vector<LiveMountState>& states, int indent = 2);

}  // namespace berth
