// SPDX-License-Identifier: Apache-2.0
#include "network/allocate.h"

#include <sys/socket.h>

#include <algorithm>
#include <set>

#include "berth/try.h"
#include "core/context.h"

namespace berth::network {
namespace {

constexpr size_t kMostBits = 32;  // that are counted through, of a network of IPv6

using Taken = std::set<std::string>;

Taken taken_on(const Ledger& ledger, const plan::InterfacePlan& plan,
               const std::vector<Address>& of_link) {
  Taken taken;
  for (const Holding& each : ledger.holdings()) {
    if (each.link == plan.link) taken.insert(each.addresses.begin(), each.addresses.end());
  }
  for (const Address& address : of_link)
    taken.insert(to_string(plan::IpAddress{.family = address.family, .bytes = address.local}));
  for (const plan::IpPrefix& own : plan.addresses) taken.insert(to_string(own.address));
  return taken;
}

// The last number of the network that somebody can have: in IPv4 the one behind it is everybody's.
uint64_t last_number(const plan::IpPrefix& network) {
  const size_t bits = std::min(network.address.bytes.size() * 8 - network.length, kMostBits);
  const uint64_t last = (uint64_t{1} << bits) - 1;
  return network.address.family == AF_INET ? last - 1 : last;
}

Result<plan::IpAddress> find_free(const plan::IpPrefix& network, const Taken& taken,
                                  uint64_t last_given) {
  const uint64_t count = last_number(network);
  const uint64_t tries = std::min<uint64_t>(count, taken.size() + 1);
  for (uint64_t i = 0; i < tries; ++i) {
    plan::IpAddress address = address_in(network, (last_given + i) % count + 1);
    if (!taken.contains(to_string(address))) return address;
  }
  return fail(ErrorKind::AlreadyExists, "no address of {} is left", to_string(network));
}

uint64_t last_given(const Ledger& ledger, const std::string& name, const plan::IpPrefix& network) {
  const std::string* last = ledger.last_of(name);
  if (last == nullptr) return 0;
  const Result<plan::IpAddress> address = plan::read_address(*last, "");
  return address ? number_in(network, *address) : 0;
}

}  // namespace

Result<std::vector<plan::IpPrefix>> allocate_addresses(Ledger& ledger,
                                                       const plan::InterfacePlan& plan,
                                                       const std::vector<Address>& of_link) {
  std::vector<plan::IpPrefix> given;
  Taken taken = taken_on(ledger, plan, of_link);
  for (const plan::SubnetPlan& subnet : plan.subnets) {
    for (const plan::IpAddress& each : subnet.reserved) taken.insert(to_string(each));
    const std::string name = plan.link + " " + to_string(subnet.network);
    const uint64_t last = last_given(ledger, name, subnet.network);
    const plan::IpAddress address = TRY(find_free(subnet.network, taken, last));
    taken.insert(to_string(address));
    ledger.set_last(name, to_string(address));
    given.push_back({.address = address, .length = subnet.network.length});
  }
  return given;
}

}  // namespace berth::network
