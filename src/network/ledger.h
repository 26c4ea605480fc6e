// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/network.h"
#include "json/decode.h"
#include "os/fd.h"
#include "plan/ip_address.h"

// Who has what of a network namespace: the devices, addresses and ports of the host that the
// interfaces of containers hold. A file for each namespace in /run/berth-network, so that it is
// gone after a boot as they are, under a lock that the making of bridges and rules needs as well.
namespace berth::network {

// Of one interface.
struct Holding {
  std::string state = {};  // the container's directory: when it is gone, this is a leftover
  std::string interface = {};
  std::string host_name = {};  // of the end in the bridge, and of the rules in nftables
  std::string link = {};
  std::vector<std::string> addresses = {};
  std::vector<PublishedPort> ports = {};
  bool has_rules = false;
  bool routes_loopback = false;  // it was made so for this interface: route_localnet of the link
  bool operator==(const Holding&) const = default;
};

struct LedgerText {
  std::vector<Holding> interfaces = {};
  json::StringPairs last = {};  // what a network has given last: an address is not given again soon
};

// Its container is gone without having given it back.
[[gnu::cold]] bool is_leftover(const Holding& holding);

class Ledger {
 public:
  // Of the calling thread's namespace. Waits for whoever has it open.
  [[gnu::cold]] static Result<Ledger> open();

  const std::vector<Holding>& holdings() const { return text_.interfaces; }
  [[gnu::cold]] const Holding* find(const std::string& state, const std::string& interface) const;
  // In the place of what the interface held before.
  [[gnu::cold]] void put(Holding holding);
  [[gnu::cold]] void drop(const std::string& state, const std::string& interface);
  [[gnu::cold]] std::vector<Holding> leftovers() const;

  [[gnu::cold]] const std::string* last_of(const std::string& network) const;
  [[gnu::cold]] void set_last(const std::string& network, const std::string& address);

  // Removes those of other namespaces in which nobody is left.
  [[gnu::cold]] Result<> sweep() const;
  // Readers see the old text or the new one; one that says nothing is removed.
  [[gnu::cold]] Result<> save() const;

 private:
  os::UniqueFd lock_;
  std::string path_;
  LedgerText text_;
};

}  // namespace berth::network
