// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cgroup/manager.h"
#include "engine/creation.h"

// linux.netDevices: taken from the host for the container's life.
namespace berth::engine {

// Before anything is made: the record says what will be moved, and how it is.
Result<> examine_network(Creation& creation);
// While init waits: its network namespace exists, the hooks have not run.
Result<> attach_network(Creation& creation);

// The network namespace of a container that got devices, kept alive by the descriptor while its
// processes are ended; none when nothing was moved, or it is gone with them.
Result<os::UniqueFd> hold_network(const Record& record, const cgroup::CgroupManager& cgroup);
// Once nobody in the container can be in the way.
Result<> give_network_back(const Record& record, const os::UniqueFd& network_namespace);

}  // namespace berth::engine
