// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/network.h"
#include "plan/ip_address.h"

// The interfaces that berth makes for a container, as numbers.
namespace berth::plan {

struct RoutePlan {
  IpPrefix to = {};    // length 0: everything
  IpAddress via = {};  // without bytes: neighbours
  bool operator==(const RoutePlan&) const = default;
};

struct SubnetPlan {
  IpPrefix network = {};
  std::vector<IpAddress> reserved = {};  // its gateways
};

struct PortPlan {
  PublishedPort::Protocol protocol = PublishedPort::Protocol::Tcp;
  IpAddress host = {};  // without bytes: every address of the host
  uint16_t host_port = 0;
  uint16_t port = 0;
};

struct InterfacePlan {
  Interface::Kind kind = Interface::Kind::Bridge;
  std::string link = {};
  bool make_link = false;
  std::vector<IpPrefix> link_addresses = {};  // of a link that is made: the gateways
  std::string name = {};
  std::vector<IpPrefix> addresses = {};
  std::vector<SubnetPlan> subnets = {};
  std::vector<RoutePlan> routes = {};
  bool nat = false;
  std::vector<PortPlan> ports = {};
  uint32_t mtu = 0;           // 0: the link's
  std::string hardware = {};  // 6 bytes, or none
  std::string pointer = {};   // who asked for it
};

// "tcp", "udp", "sctp".
[[gnu::cold]] std::string_view to_string(PublishedPort::Protocol protocol);

// InvalidConfig with a pointer below `pointer`, which is the list's. Names that are left out are
// the first of eth0, eth1, … that is neither among `taken` nor another interface's.
[[gnu::cold]] Result<std::vector<InterfacePlan>> plan_interfaces(
    const std::vector<Interface>& interfaces, std::span<const std::string> taken,
    std::string_view pointer);

}  // namespace berth::plan
