// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"

// Interfaces that berth makes for a container. Docs: docs/networking.md.
namespace [[gnu::visibility("default")]] berth {

struct Route {
  std::string to = {};   // "10.8.0.0/16", "fd01::/48", "default"
  std::string via = {};  // a neighbour's address; empty: whoever is to be reached is a neighbour
  bool operator==(const Route&) const = default;
};

// A port of the container that is reached at one of the host's (nftables; the program `nft`).
struct PublishedPort {
  enum class Protocol : unsigned char { Tcp, Udp, Sctp };
  Protocol protocol = Protocol::Tcp;
  std::string host = {};   // an address of the host; empty: all of them
  uint16_t host_port = 0;  // 1 to 65535
  uint16_t port = 0;       // the same, in the container
  bool operator==(const PublishedPort&) const = default;
};

// An interface that is made for a container and goes with it.
struct Interface {
  enum class Kind : unsigned char {
    Bridge,   // a pair of devices (veth(4)): one in the container, one in the bridge `link`
    Macvlan,  // a device of its own address on the wire of `link`; needs CONFIG_MACVLAN
    Cni,      // what the plugins make of the CNI network `link` of /etc/cni/net.d
  };
  Kind kind = Kind::Bridge;
  std::string link = {};   // a device of the caller's network namespace; Cni: a network's name
  bool make_link = false;  // Bridge: made where it is not there, and removed with its last user
  std::string name = {};   // in the container; empty: the first of eth0, eth1, … that is free
  // "10.1.0.2/24", "fd00::2/64". Cni: of all that follows there are only addresses, ports and mac,
  // where a plugin of the network has the capability.
  std::vector<std::string> addresses = {};
  // "10.1.0.0/24": an address that is free there. Its gateway, unless `gateways` has one of this
  // network, is the first address of the network.
  std::vector<std::string> subnets = {};
  std::vector<std::string> gateways = {};  // "10.1.0.1": default routes. A made bridge gets them
  std::vector<Route> routes = {};
  bool nat = false;  // Bridge: what leaves the bridge has the host's address (masquerade)
  std::vector<PublishedPort> ports = {};  // Bridge, Cni
  uint32_t mtu = 0;                       // bytes; 0: the link's
  std::string mac = {};                   // "02:42:0a:01:00:02"; empty: of the kernel's choice
  bool operator==(const Interface&) const = default;
};

// From a JSON array of objects (docs/networking.md). InvalidConfig: pointer() is into the text.
Result<std::vector<Interface>> parse_interfaces(std::string_view json);

// What containers have left in the network namespace of the calling thread that are gone without
// giving it back (their directory was removed by hand): devices, rules of nftables, addresses. The
// next attach does it as well. Names of devices.
Result<std::vector<std::string>> remove_network_leftovers();

// Since the interface was made, seen from inside the container (netdevice(7), IFLA_STATS64).
struct InterfaceCounters {
  uint64_t rx_bytes = 0, rx_packets = 0, rx_errors = 0, rx_dropped = 0;
  uint64_t tx_bytes = 0, tx_packets = 0, tx_errors = 0, tx_dropped = 0;
  bool operator==(const InterfaceCounters&) const = default;
};

// A network device of a container, whoever made it.
struct InterfaceState {
  std::string name = {};
  std::string kind = {};  // "veth", "macvlan", …; empty: loopback, or a device of hardware
  std::string mac = {};
  uint32_t mtu = 0;
  bool is_up = false;
  std::vector<std::string> addresses = {};  // those that were given, "10.1.0.2/24"
  bool is_made = false;                     // by berth for this container: can be detached
  std::string link = {};                    // is_made: the bridge, the parent or the CNI network
  std::string host_name = {};               // is_made: of the end in the bridge
  std::string cni = {};  // is_made by CNI: what its plugins answered, a JSON object
  InterfaceCounters counters = {};
};

// An array of objects, as `berth net list --format json` prints it.
std::string to_json(const std::vector<InterfaceState>& states, int indent = 2);

}  // namespace berth
