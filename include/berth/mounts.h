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

// Attributes of a mount that is there: ro, rw, nosuid, noexec, noatime and so on, those of one
// mount.
struct LiveMountChange {
  std::string destination = {};
  std::vector<std::string> options = {};
};

struct LiveMountState {
  std::string token = {};  // of the request that added it
  LiveMount mount = {};    // its options as they are now
  bool is_there = false;   // false: somebody in the container has unmounted it
};

// An array of objects, as `berth mounts list --format json` prints it.
std::string to_json(const std::vector<LiveMountState>& states, int indent = 2);

}  // namespace berth
