// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>

#include "berth/error.h"

namespace berth::engine {

// A process that has let go of its gate or channel, and has left no failure there.
struct LetGo {
  pid_t pid = 0;
  uint64_t start_time = 0;  // 0: our own child
  int pidfd = -1;           // opened while it lived
};

// Ok: its program runs or ran. WrongState: it was killed before, also when another process has
// reaped it already.
Result<> check_executed(const LetGo& process);

std::unexpected<Error> ended_early(pid_t pid);

}  // namespace berth::engine
