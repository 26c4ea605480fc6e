// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <span>

// A process of the host that goes into the mount namespace of a container, changes mounts there and
// ends. Like all of init it allocates nothing: its caller may have many threads.
namespace berth::init {

enum class LiveTask : unsigned char { Attach, Detach, Replace, Change };

enum class LiveAction : unsigned char {
  Enter,
  MakeTarget,
  CoverProc,
  Attach,
  Find,
  Keep,
  Change,
  Detach
};

struct LiveItem {
  int mount = -1;                // Attach, Replace: detached
  int id = 0;                    // of the mount that is there (statx(2), STATX_MNT_ID)
  const char* target = nullptr;  // in the container
  bool is_directory = false;     // the mount
  bool may_cover_proc = false;   // target is one that lxcfs and the like have
  uint64_t set = 0;              // Change: MOUNT_ATTR_*
  uint64_t clear = 0;
  bool made = false;  // the target is ours; set when it was made
  bool done = false;  // set
  int restored = 0;   // set: the id that it has now, where it was put back
  int there = -1;     // of the process alone
  int copy = -1;
  bool beneath = false;
  uint64_t before = 0;
};

// In memory that the caller shares with the process.
struct LiveWork {
  LiveTask task = LiveTask::Attach;
  int container = -1;  // pidfd of its first process
  int root = -1;       // its root, O_PATH, opened before
  uid_t owner = 0;     // the container's root, who makes mount points
  gid_t group = 0;
  std::span<LiveItem> items = {};
  int error = 0;  // of what failed: an errno
  LiveAction action = LiveAction::Enter;
  size_t index = 0;
};

// All of it or nothing. Exits with 0 or 1.
[[noreturn]] void run_live_mounts(LiveWork& work);

}  // namespace berth::init
