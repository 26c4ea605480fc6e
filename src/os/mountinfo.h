// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"

namespace berth::os {

// A line of /proc/PID/mountinfo (proc_pid_mountinfo(5)), its paths without escapes.
struct MountEntry {
  int id = 0;                // as STATX_MNT_ID
  int parent = 0;            // the mount that it lies on
  std::string device = {};   // "8:1", of its filesystem
  std::string root = {};     // what of the filesystem is mounted
  std::string place = {};    // where, from the root of the process
  std::string type = {};     // "ext4", "fuse.lxcfs"
  std::string options = {};  // of the filesystem
};

// In the order of the text; lines that are none are left out.
std::vector<MountEntry> parse_mountinfo(std::string_view text);
// Of a process, or "self".
Result<std::vector<MountEntry>> mounts_of(std::string_view process);

}  // namespace berth::os
