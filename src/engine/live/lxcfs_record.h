// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/lxcfs.h"
#include "engine/live/lxcfs_source.h"

namespace berth::engine {

struct ChangedFile {
  std::string path = {};
  int id = 0;  // of its mount; 0: it has gone
  std::string device = {};
  bool is_new = false;  // else it only took the place of one
};

// Writes to a container's record, as mounts of the request "lxcfs", the files that were mounted
// now, and what became of those that it had.
Result<> record_lxcfs(const RunningContainer& container, const std::vector<ChangedFile>& changed,
                      const LxcfsSource& source);

}  // namespace berth::engine
