// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "init/prepared.h"
#include "plan/plan.h"

namespace berth::init {

// The first process of a container, from clone to execve. Called in the child; never returns.
[[noreturn]] void run_init(const plan::InitPlan& plan, PreparedInit& prepared);

// LaunchShape::Joiner: joins what is to be joined, clones init as the host's own child, announces
// it and ends.
[[noreturn]] void run_joiner(const plan::InitPlan& plan, PreparedInit& prepared);

// A further process of a running container (exec).
[[noreturn]] void run_enter(const plan::EnterPlan& plan, PreparedEnter& prepared);
// LaunchShape::Joiner: enters the user namespace first, and the others with the rights it has
// there.
[[noreturn]] void run_enter_joiner(const plan::EnterPlan& plan, PreparedEnter& prepared);

}  // namespace berth::init
