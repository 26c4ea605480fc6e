// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "berth/error.h"
#include "os/fd.h"

namespace berth::engine {

// A process by descriptors, which stay with it when its number is given to another. Calls that take
// a number only are made while is_there() says that it is still its own.
class HeldProcess {
 public:
  // NotFound when there is none.
  static Result<HeldProcess> hold(pid_t pid);

  pid_t pid() const { return pid_; }
  bool is_there() const;  // has not ended; a zombie has
  std::vector<pid_t> threads() const;
  bool has_thread(pid_t thread) const;
  // A file of /proc/PID.
  Result<std::string> read(const char* file) const;
  Result<> write(const char* file, std::string_view text) const;

 private:
  HeldProcess(pid_t pid, os::UniqueFd pidfd, os::UniqueFd directory)
      : pid_(pid), pidfd_(std::move(pidfd)), directory_(std::move(directory)) {}
  pid_t pid_;
  os::UniqueFd pidfd_;
  os::UniqueFd directory_;
};

}  // namespace berth::engine
