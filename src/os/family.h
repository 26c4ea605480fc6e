// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace berth::os {

// Kills a process group and all descendants of the caller, and waits for them. The caller is their
// reaper (PR_SET_CHILD_SUBREAPER): whose parent is killed becomes a child of it, round by round all
// of them do. processes: a directory of procfs; without it, or in a kernel that lists no children,
// only the group is killed. Allocates nothing.
void kill_family(pid_t group, int processes);

}  // namespace berth::os
