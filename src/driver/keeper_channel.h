// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <functional>
#include <string>

#include "berth/error.h"
#include "os/fd.h"

// What a keeper says to the driver that has started it: warnings, then that the program runs or why
// not. The driver's end closed means that it has seen all that it wants.
namespace berth::driver {

void tell_warning(int channel, const std::string& text);
void tell_started(int channel, pid_t pid, int pidfd);
void tell_failure(int channel, const Error& error);
// Returns when the other end is closed.
void await_end(int channel);

struct StartedBox {
  pid_t pid = 0;
  os::UniqueFd pidfd = {};

  Result<> signal(int signal_number) const;
};

// The keeper's error, or its box.
Result<StartedBox> hear_start(int channel, const std::function<void(const std::string&)>& warn);

}  // namespace berth::driver
