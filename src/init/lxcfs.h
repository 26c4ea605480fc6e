// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <span>

// Two processes for the files of lxcfs. Like all of init they allocate nothing.
namespace berth::init {

// What a filesystem of lxcfs offers. The process may hang when lxcfs does, so that its parent waits
// for a time only. It sends, each as a packet with a descriptor (O_PATH), the path of each file as
// a container shall have it: "/proc/meminfo". Then an empty path once a file could be read, or a
// number in place of it: the errno of what failed.
struct LxcfsOffer {
  int socket = -1;
  const char* directory = nullptr;  // where lxcfs is mounted
};
inline constexpr size_t kMaxLxcfsPath = 512;
[[noreturn]] void run_lxcfs_offer(const LxcfsOffer& offer);

enum class LxcfsStep : unsigned char {
  Kept,      // nothing was to be done, or not yet
  Attached,  // where no file of lxcfs was
  Replaced,
  Removed,
  Covered,  // attached over one that cannot be unmounted
  Absent,   // the container has no such file
  Foreign,  // something else is mounted there
  Alive,    // of another lxcfs that answers; nothing was done
  Dead,     // of one that does not, and only that was asked
  Changed,  // it is not as the caller has seen it: look again
  Failed,
};

inline constexpr size_t kMaxLayers = 16;

// A file in a container.
struct LxcfsItem {
  const char* directory = nullptr;  // that it is in, from the container's root
  const char* name = nullptr;
  bool asks = false;            // whether the topmost answers: only what is dead is changed
  bool changes = true;          // false: asks alone
  int mount = -1;               // detached, to be attached; -1: what is there goes
  int layers[kMaxLayers] = {};  // mounts of lxcfs that are there, by id; the topmost first
  size_t count = 0;
  LxcfsStep step = LxcfsStep::Kept;  // set
  int error = 0;                     // set: an errno
};

// A container, in memory that the caller shares with the processes.
struct LxcfsWork {
  int container = -1;            // pidfd of a process of it
  int lock = -1;                 // its mount namespace: one process works there at a time
  int root = -1;                 // its root, O_PATH
  const char* rootfs = nullptr;  // instead: the way to it, before it was pivoted to
  std::span<LxcfsItem> items = {};
  std::atomic<int64_t> begun = 0;  // CLOCK_MONOTONIC, nanoseconds
  std::atomic<bool> is_done = false;
  int error = 0;  // why nothing could be done
};
// The containers that are left, for all processes together.
struct LxcfsTurn {
  LxcfsWork* work = nullptr;
};
struct LxcfsQueue {
  std::span<LxcfsTurn> items = {};
  std::atomic<size_t> next = 0;
};
// Does one container after the other until none is left. A process that hangs leaves the others to
// the next one.
[[noreturn]] void run_lxcfs_work(LxcfsQueue& queue);

}  // namespace berth::init
