// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/network.h"

// The interfaces that berth makes for a container, as numbers.
namespace berth::plan {

struct IpAddress {
  uint8_t family = 0;      // AF_INET, AF_INET6
  std::string bytes = {};  // in the order of the network: 4 or 16
  bool operator==(const IpAddress&) const = default;
};

// An address with its network ("10.1.0.2/24"), or a network.
struct IpPrefix {
  IpAddress address = {};
  uint8_t length = 0;  // bits
  bool operator==(const IpPrefix&) const = default;
};

struct RoutePlan {
  IpPrefix to = {};    // length 0: everything
  IpAddress via = {};  // without bytes: neighbours
  bool operator==(const RoutePlan&) const = default;
};

struct InterfacePlan {
  Interface::Kind kind = Interface::Kind::Bridge;
  std::string link = {};
  bool make_link = false;
  std::vector<IpPrefix> link_addresses = {};  // of a link that is made: the gateways
  std::string name = {};
  std::vector<IpPrefix> addresses = {};
  std::vector<RoutePlan> routes = {};
  uint32_t mtu = 0;           // 0: the link's
  std::string hardware = {};  // 6 bytes, or none
  std::string pointer = {};   // who asked for it
};

bool contains(const IpPrefix& network, const IpAddress& address);
[[gnu::cold]] std::string to_string(const IpAddress& address);
std::string to_string(const IpPrefix& prefix);

// InvalidConfig with a pointer below `pointer`, which is the list's. Names that are left out are
// the first of eth0, eth1, … that is neither among `taken` nor another interface's.
[[gnu::cold]] Result<std::vector<InterfacePlan>> plan_interfaces(
    const std::vector<Interface>& interfaces, std::span<const std::string> taken,
    std::string_view pointer);

}  // namespace berth::plan
