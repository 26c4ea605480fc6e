// SPDX-License-Identifier: Apache-2.0
#include "engine/gate.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "os/file.h"
#include "sync/protocol.h"

namespace berth::engine {
namespace {

// In the order of who wrote: the byte that opens the gate when nobody took it, the byte before
// execve; or what a failed hook wrote; the coordinates of a failure.
Result<GateWords> read_words(const StateDir& directory, const std::string& name) {
  const os::UniqueFd words(
      ::openat(directory.fd(), name.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!words) return system_error(errno, "read the start gate");
  char text[sync::kGateOutput + sizeof(sync::Failure) + 2];
  const ssize_t size = ::read(words.get(), text, sizeof text);
  constexpr ssize_t kFailureSize = sizeof(sync::Failure);
  if (size < kFailureSize)
    return GateWords{.executing = size == 1 && text[0] == sync::kGateExecuting};
  GateWords found;
  memcpy(&found.failure.emplace(), text + (size - kFailureSize), sizeof(sync::Failure));
  found.text.assign(text, static_cast<size_t>(size - kFailureSize));
  return found;
}

// Its end of the gate is closed by execve.
Result<> wait_until_left(int gate, int pidfd) {
  pollfd events[] = {{.fd = gate, .events = 0, .revents = 0},
                     {.fd = pidfd, .events = POLLIN, .revents = 0}};
  while ((events[0].revents & POLLERR) == 0) {
    if (::poll(events, 2, -1) < 0 && errno != EINTR)
      return system_error(errno, "wait for the program");
    if (events[1].revents != 0) break;
  }
  return {};
}

// With a reader of our own for as long as it takes: where the process has just ended, the write
// would be SIGPIPE for a caller whose signals are not ours. It must go: its end is what is waited
// for.
Result<> open_for(const StateDir& directory, const std::string& name, int gate) {
  const os::UniqueFd reader =
      TRY(os::open_at(directory.fd(), name.c_str(), O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
  if (::write(gate, &sync::kGateOpened, 1) == 1) return {};
  return system_error(errno, "open the start gate");
}

}  // namespace

std::string gate_of(pid_t pid, uint64_t start_time) {
  return formatted("held.{}.{}", pid, start_time);
}

Result<GateWords> pass_gate(const StateDir& directory, const std::string& name, int pidfd) {
  const os::UniqueFd gate = TRY(directory.open_gate(name));
  TRY(open_for(directory, name, gate.get()));
  Result<> left = wait_until_left(gate.get(), pidfd);
  Result<GateWords> words =
      left ? read_words(directory, name) : std::unexpected(std::move(left).error());
  directory.remove_gate(name);
  return words;
}

}  // namespace berth::engine
