// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "berth/error.h"

// Addresses of IPv4 and IPv6, as numbers.
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

// InvalidConfig at the pointer.
[[gnu::cold]] Result<IpAddress> read_address(std::string_view text, std::string_view pointer);
[[gnu::cold]] Result<IpPrefix> read_prefix(std::string_view text, std::string_view pointer);
// Bits behind the length are somebody's address, where a network is expected.
[[gnu::cold]] Result<> check_network(const IpPrefix& prefix, std::string_view pointer);

bool contains(const IpPrefix& network, const IpAddress& address);
// Bits behind the prefix: 1 is the first address of the network, 0 the network itself.
[[gnu::cold]] IpAddress address_in(const IpPrefix& network, uint64_t number);
// The other way: the last 64 of those bits.
[[gnu::cold]] uint64_t number_in(const IpPrefix& network, const IpAddress& address);
[[gnu::cold]] std::string to_string(const IpAddress& address);
std::string to_string(const IpPrefix& prefix);

}  // namespace berth::plan
