// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "berth/running.h"

// The files of lxcfs (lxcfs(1)) in containers that run: /proc/meminfo and the like that show the
// container's share. Docs: docs/live-operations.md.
namespace [[gnu::visibility("default")]] berth {

// The container of an OCI hook, by the state that it gets on standard input (runtime.md, "State"):
// before its root is pivoted to, or later.
Result<RunningContainer> container_of_hook(std::string_view state);

enum class LxcfsAction : unsigned char {
  Look,     // changes nothing
  Mount,    // every file that lxcfs offers and the container has
  Unmount,  // every file of lxcfs, of one that is dead, too
  Remount,  // those of an lxcfs that is dead become those of the one that runs
};

enum class LxcfsResult : unsigned char {
  Current,  // of an lxcfs that runs; nothing was done
  Stale,    // of one that is dead
  Mounted,
  Healed,  // was stale
  Unmounted,
  Skipped,  // the container has no such file, or something else lies on it; see reason
  Failed,   // see reason
};
// "current" and so on.
std::string_view to_string(LxcfsResult result);

struct LxcfsFile {
  std::string path = {};  // in the container
  LxcfsResult result = LxcfsResult::Failed;
  std::string reason = {};
  bool operator==(const LxcfsFile&) const = default;
};

struct LxcfsReport {
  std::string id = {};
  pid_t pid = 0;
  std::string error = {};  // not empty: of the container as a whole
  bool has_ended = false;  // why there is an error
  std::vector<LxcfsFile> files = {};
  // Nothing failed, nothing is stale.
  bool is_right() const;
};

struct LxcfsOptions {
  std::string directory = {};  // where lxcfs is mounted; empty: looked for
  // For lxcfs to answer, and for each container.
  std::chrono::milliseconds timeout{10000};
};

// In all containers beside one another, and no longer than the timeout for one that hangs; one that
// fails hinders no other. Root only. Files are replaced without a moment in which they are missing
// (Linux 6.5; before that in a few microseconds). Unsupported for Mount and Remount: no lxcfs is
// mounted, or it does not answer.
Result<std::vector<LxcfsReport>> change_lxcfs(LxcfsAction action,
                                              const std::vector<RunningContainer>& containers,
                                              const LxcfsOptions& options = {});

// The device of the filesystem of the lxcfs that runs, as mountinfo has it; another one after each
// restart. Empty: none is mounted. Asks lxcfs nothing.
Result<std::string> lxcfs_device(const LxcfsOptions& options = {});

// Waits until another lxcfs is mounted than that of the device, and returns its device: for who
// heals by itself. Woken by the kernel when mounts change (proc(5): poll(2) on mountinfo).
Result<std::string> await_lxcfs(const std::string& device, const LxcfsOptions& options = {});

// An array of objects, as `berth lxcfs status --format json` prints it.
std::string to_json(const std::vector<LxcfsReport>& reports, int indent = 2);

}  // namespace berth
