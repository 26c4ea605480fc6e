// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "network/device.h"
#include "plan/interface_plan.h"

// Bridges that are made on request, for several containers, and removed with the last of them:
// while the ledger is open, so that one without ports is not removed under somebody who has just
// found it.
namespace berth::network {

// The link of the plan; where there is no such bridge, a new one with the plan's addresses.
// InvalidConfig: the device is no bridge.
[[gnu::cold]] Result<Device> find_or_make_link(int socket, const plan::InterfacePlan& plan);
// If it is one that was made so, and nobody uses it.
[[gnu::cold]] Result<> remove_unused_bridge(int socket, const std::string& name);

}  // namespace berth::network
