// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "berth/error.h"
#include "os/priority.h"
#include "plan/plan.h"

// What the host sets on a process of a container by pid, because only it has the rights: init may
// be in a user namespace.
namespace berth::engine {

// As soon as there is a process: init itself may be chosen when memory is short.
Result<> set_oom_score(const plan::ProcessPlan& plan, pid_t process);

// Once the set-up is done, so that it is neither starved nor unable to fork: scheduler and I/O
// priority, and the resource limits unless the process sets them itself.
Result<> favour_process(const plan::ProcessPlan& plan, pid_t process, bool with_rlimits);

os::SchedulerAttributes scheduler_attributes(const plan::SchedulerPlan& plan);
// What the kernel, or the cgroup, lacks when it refuses a policy to root; begins with a space.
const char* scheduler_hint(uint32_t policy);

}  // namespace berth::engine
