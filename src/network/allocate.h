// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "network/device.h"
#include "network/ledger.h"
#include "plan/interface_plan.h"

namespace berth::network {

// An address of each of the interface's subnets that nobody on its link has: no other interface by
// the ledger, no gateway, and not the link itself. The one behind the last that was given, so that
// neighbours have forgotten an address when it is given again. AlreadyExists: there is none left.
[[gnu::cold]] Result<std::vector<plan::IpPrefix>> allocate_addresses(
    Ledger& ledger, const plan::InterfacePlan& plan, const std::vector<Address>& of_link);

}  // namespace berth::network
