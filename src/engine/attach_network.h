// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cgroup/manager.h"
#include "engine/creation.h"

// What a container gets of the host's network for its life: devices that are moved
// (linux.netDevices), and interfaces that are made (run.berth.interfaces).
namespace berth::engine {

Result<os::UniqueFd> open_network_of(pid_t process);
// The path of the network namespace that the config joins: it outlives the container. Empty: none.
std::string joined_network(const spec::Spec& spec);

// Before anything is made: the record says what will be moved and made.
Result<> examine_network(Creation& creation);
// While init waits: its network namespace exists, the hooks have not run.
Result<> attach_network(Creation& creation);

// The network namespace of a container that got devices, kept alive by the descriptor while its
// processes are ended; none when it was given nothing, or it is gone with them.
Result<os::UniqueFd> hold_network(const Record& record, const cgroup::CgroupManager& cgroup);
// Once nobody in the container can be in the way. state: the path of its directory.
Result<> give_network_back(const Record& record, const std::string& state,
                           const os::UniqueFd& network_namespace);

// Of its network devices but loopback; none of the host's, and none where it cannot be asked.
[[gnu::cold]] std::vector<InterfaceStats> count_interfaces(const Record& record);

}  // namespace berth::engine
