// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "network/device.h"
#include "os/fd.h"
#include "plan/interface_plan.h"

// Bridges that are made on request, for several containers, and removed with the last of them.
namespace berth::network {

// Held while a bridge is made and gets its port, and while it is looked at and removed: a bridge
// without ports is not removed under somebody who has just found it.
[[gnu::cold]] Result<os::UniqueFd> lock_bridges();

// The bridge of the plan; where there is none, a new one with the plan's addresses. InvalidConfig:
// the device is no bridge.
[[gnu::cold]] Result<Device> find_or_make_bridge(int socket, const plan::InterfacePlan& plan);
// If it is one that was made so, and nobody uses it.
[[gnu::cold]] Result<> remove_unused_bridge(int socket, const std::string& name);

}  // namespace berth::network
