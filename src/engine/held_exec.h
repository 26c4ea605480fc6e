// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "berth/error.h"
#include "plan/plan.h"
#include "sync/channel.h"

namespace berth::engine {

// What is needed to let a process go that waits right before its execve.
struct HeldExec {
  plan::EnterPlan plan = {};
  sync::HostEnd channel = {};
  std::string pid_file = {};
  bool goes_on = false;  // was told Start before it asked
};

// Says Start unless that is done, and returns when the program runs; or why it does not.
Result<> execute(const HeldExec& held, pid_t pid, int pidfd);

// By its descriptor alone: between two calls of the library its number may have gone to another.
void kill_and_reap(int pidfd);

// Removes the file if it names that process: another may have been put there.
void remove_pid_file(const std::string& path, pid_t pid);

}  // namespace berth::engine
