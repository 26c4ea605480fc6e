// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include "berth/process.h"

namespace berth::cli {

// The signals of this program, read from a descriptor instead of interrupting it. Made before the
// container's process, so that a signal that comes meanwhile waits and is passed on; the mask is
// put back at the end.
class Signals {
 public:
  static Result<Signals> take();
  Signals(Signals&& other) noexcept;
  Signals& operator=(Signals&&) = delete;
  ~Signals();

  int descriptor() const { return descriptor_; }
  // One that came; 0: none.
  int next() const;

 private:
  Signals(int descriptor, sigset_t before) : descriptor_(descriptor), before_(before) {}
  int descriptor_;
  sigset_t before_;
};

// Whether a container's program is to have it: not what tells this program about itself.
bool is_passed_on(int signal_number);

// Processes whose parent ends become our children.
Result<> become_subreaper();

// Stays with the process until it ends: passes signals on, relays its terminal, adopts and reaps
// what loses its parent.
Result<ExitStatus> stay_with(Process& process, const Signals& signals);

}  // namespace berth::cli
