// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "network/device.h"
#include "plan/interface_plan.h"

namespace berth::network {

// As it is given to a device: with its broadcast address (IPv4), and without the second in which
// the kernel asks whether somebody else has it (IPv6).
[[gnu::cold]] Address address_of(const plan::IpPrefix& prefix);

}  // namespace berth::network
