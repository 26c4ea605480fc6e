// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "plan/interface_plan.h"

// Addresses that are translated for interfaces (nftables(8)): one table of our own, "berth", and in
// it chains for each interface under the name of its end in the bridge. By the program `nft`, in
// the network namespace of the calling thread, while the ledger is open.
namespace berth::network {

struct Translation {
  std::string host_name = {};
  std::string link = {};
  std::vector<plan::IpPrefix> addresses = {};  // of the interface
  bool nat = false;
  std::vector<plan::PortPlan> ports = {};

  // Some port is reached at every IPv4 address of the host, 127.0.0.1 too.
  bool serves_loopback() const;
};

// All of them or none. Unsupported: there is no `nft`, or the kernel has no nftables.
[[gnu::cold]] Result<> add_rules(const Translation& translation);
// And the table, when nobody else has chains in it. No error when they are gone.
[[gnu::cold]] Result<> remove_rules(const std::string& host_name);

// Of the host: addresses of the family are handed on between devices (ip-sysctl: ip_forward).
[[gnu::cold]] Result<> forward(int family);
// Packets to and from 127.0.0.0/8 may leave by the device (ip-sysctl: route_localnet).
[[gnu::cold]] Result<bool> routes_loopback(const std::string& device);
// No error when the device is gone and it is to be off.
[[gnu::cold]] Result<> route_loopback(const std::string& device, bool on);

}  // namespace berth::network
