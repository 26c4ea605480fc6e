// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

#include "berth/error.h"
#include "engine/state_store.h"
#include "sync/failure.h"

namespace berth::engine {

// The gate of a process of exec that waits for Container::start_process. The time of its start is
// in it, so that one that was left behind is never taken for that of another process.
std::string gate_of(pid_t pid, uint64_t start_time);

// What was left in a gate by who waited there.
struct GateWords {
  bool executing = false;  // all that remained to be done was execve
  std::string text = {};   // in front of a failure
  std::optional<sync::Failure> failure = {};
};

// Lets who waits at the gate go, and returns when it has left it: by execve, or by its end, which
// its pidfd tells. Then the gate is removed.
Result<GateWords> pass_gate(const StateDir& directory, const std::string& name, int pidfd);

}  // namespace berth::engine
