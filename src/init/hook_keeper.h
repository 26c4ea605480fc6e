// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>

#include "init/step.h"

namespace berth::init {

struct HookFiles {
  int input;
  int output;
  int failed;     // the end of a pipe that execve closes
  int late = -1;  // of the keeper
};

[[noreturn]] void become_hook(const PreparedHook& hook, const plan::HookItem& item,
                              const HookFiles& files);

// clone(2), not clone3: common seccomp profiles answer ENOSYS for the latter, and the filter is
// loaded by now.
long clone_hook(int* pidfd);

struct RunningHook {
  long pid;
  int pidfd;
};
// limit: in milliseconds, -1 for none. 0: it has ended, as info says; else -errno, -ETIMEDOUT when
// its time was over: it is killed then.
int await_hook(const RunningHook& hook, int limit, siginfo_t* info);

// Between init and a hook with a time limit, in a pid namespace that does not end with init: starts
// the hook, and at the limit kills all that it has started. Ends as the hook does; why it had to
// end it, an errno, is written to the eventfd files.late.
[[noreturn]] void keep_time(const PreparedInit& init, const PreparedHook& hook,
                            const plan::HookItem& item, const HookFiles& files);

}  // namespace berth::init
