// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>

#include "engine/state_store.h"
#include "os/fd.h"
#include "spec/spec.h"

namespace berth::engine {

// sd_notify between a program in the container and the service manager that started the runtime.
// The program has a socket of its own, in the record's directory and bound at /run/notify; of what
// it says only that it is ready goes through.
class NotifyRelay {
 public:
  NotifyRelay() = default;
  // Has the socket made and bound. host: $NOTIFY_SOCKET, a path or "@" and an abstract name.
  static Result<NotifyRelay> open(const StateDir& directory, const std::string& host);

  int fd() const { return socket_.get(); }
  explicit operator bool() const { return static_cast<bool>(socket_); }

  // Reads one message. True when it said READY, which is then passed on; with a pid also that this
  // is the service's process from now on.
  Result<bool> pass_on(pid_t main_pid) const;
  // Until the program is ready, or has ended. Returns when the manager has taken the message.
  Result<> wait(pid_t pid, int pidfd) const;

 private:
  Result<> tell(const std::string& text, int barrier) const;
  os::UniqueFd socket_;
  std::string host_;
};

// The mount and the variable that show the socket to the program, as if config.json had them.
void show_notify_socket(const std::string& state_directory, spec::Spec& spec);
// The directory for it. `create` makes it, `run` and `start` bind the socket in it.
Result<> make_notify_directory(const StateDir& directory);
bool has_notify_directory(const StateDir& directory);

}  // namespace berth::engine
