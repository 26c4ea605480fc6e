// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "network/device.h"
#include "plan/interface_plan.h"

// Making and removing network devices (rtnetlink(7), ip-link(8)). Each takes a route socket of the
// namespace that the device is to be in, or is in.
namespace berth::network {

// Devices that are made for a container say so by their alias.
[[gnu::cold]] std::string alias_of(const std::string& id);
// One without an alias was made by who was killed then.
[[gnu::cold]] bool is_made_for(const Device& device, const std::string& id);

// The end of a pair that the container gets, or a device of macvlan.
struct Inside {
  std::string name = {};
  int network_namespace = -1;
  std::string hardware = {};  // bytes; empty: of the kernel's choice
  uint32_t mtu = 0;
};

// AlreadyExists: one of the two names is taken.
[[gnu::cold]] Result<> make_pair(int socket, const std::string& name, const Device& bridge,
                                 const Inside& inside);
// Unsupported: the kernel has none.
[[gnu::cold]] Result<> make_macvlan(int socket, const Device& parent, const Inside& inside);
// AlreadyExists: there is a device of the name. hardware: its address, bytes.
[[gnu::cold]] Result<> make_bridge(int socket, const std::string& name,
                                   const std::string& hardware);

// With an alias that says whose it is.
[[gnu::cold]] Result<> bring_up(int socket, const std::string& name, const std::string& alias);
// A port of a bridge: packets may leave by it that came by it, so that a container reaches itself
// at a port that the host has for it (ip-link(8): hairpin).
[[gnu::cold]] Result<> set_hairpin(int socket, int device);
// No error when it is gone.
[[gnu::cold]] Result<> remove_device(int socket, int device);
[[gnu::cold]] Result<> add_route(int socket, int device, const plan::RoutePlan& route);

}  // namespace berth::network
