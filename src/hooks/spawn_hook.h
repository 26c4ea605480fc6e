// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "os/process.h"
#include "plan/plan.h"

namespace berth::hooks {

struct HookCall {
  const plan::HookItem& hook;
  const std::string& directory;
  int input;   // becomes the hook's standard input
  int output;  // and its standard output and error
  int late;    // an eventfd, written when the time limit is over; -1 without a limit
};

// Starts a hook of the host's side with no signal blocked or ignored. With a time limit a keeper
// stands between: at the limit it kills all that the hook has started, also what left its session.
// Whoever waits for the child sees how the hook ended.
Result<os::ChildProcess> spawn_hook(const HookCall& call);

}  // namespace berth::hooks
