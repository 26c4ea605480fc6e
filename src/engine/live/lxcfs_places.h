// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "os/mountinfo.h"

namespace berth::engine {

// A path of a container that something is mounted on.
struct LxcfsPlace {
  std::string path = {};
  std::vector<int> layers = {};  // mounts of lxcfs, by id, the topmost first
  std::string device = {};       // of the topmost
  bool is_covered = false;       // by something that is not of lxcfs
};

// Of every file that the mounts show as lxcfs's, under its own name; and of every wanted path that
// has something else on it. rootfs: in front of the paths, where the root was not yet pivoted to.
std::vector<LxcfsPlace> find_places(const std::vector<os::MountEntry>& mounts,
                                    const std::string& rootfs,
                                    const std::vector<std::string>& wanted);

// Whether there is such a file.
bool has_lxcfs_files(const std::vector<os::MountEntry>& mounts);

}  // namespace berth::engine
