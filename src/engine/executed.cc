// SPDX-License-Identifier: Apache-2.0
#include "engine/executed.h"

#include "core/context.h"
#include "core/signal_words.h"
#include "os/process.h"

namespace berth::engine {

std::unexpected<Error> ended_early(pid_t pid) {
  return fail(ErrorKind::WrongState, "process {} has ended before its program ran", pid);
}

Result<> check_executed(const LetGo& process) {
  switch (os::execution_of(process.pid, process.start_time)) {
    case os::Execution::Done: return {};
    case os::Execution::Never: return ended_early(process.pid);
    case os::Execution::Gone: break;
  }
  // Somebody else has reaped it. Our own code never ends without a word, so an exit code is the
  // program's. A signal may have come before execve or after: success is said only when it is sure.
  // Before Linux 6.15 nothing is left to ask, and a short program is by far the likelier.
  const auto status = os::status_of_reaped(process.pidfd);
  if (!status || status->signal == 0) return {};
  return fail(ErrorKind::WrongState,
              "process {} was killed by {} before its program was seen to run", process.pid,
              signal_words(status->signal));
}

}  // namespace berth::engine
