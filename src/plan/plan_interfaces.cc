// SPDX-License-Identifier: Apache-2.0
#include <ctype.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "berth/try.h"
#include "core/context.h"
#include "plan/interface_plan.h"
#include "plan/refuse.h"
#include "spec/interfaces.h"

namespace berth::plan {
namespace {

constexpr uint32_t kLeastMtu = 68;      // IPv4's: RFC 791
constexpr uint32_t kLeastMtuV6 = 1280;  // RFC 8200
constexpr uint32_t kMostMtu = 65535;
constexpr size_t kHardwareSize = 6;

// Where in the list of interfaces: "/1/gateways/0".
struct Place {
  std::string pointer;
  std::string below(std::string_view name) const { return pointer + "/" + std::string(name); }
  std::string below(std::string_view name, size_t index) const {
    return formatted("{}/{}/{}", pointer, name, index);
  }
};

Result<std::string> read_hardware(std::string_view text, std::string_view pointer) {
  std::string bytes;
  for (size_t place = 0; place < text.size(); place += 3) {
    unsigned byte = 0;
    const char* end = text.data() + std::min(place + 2, text.size());
    const auto [stop, error] = std::from_chars(text.data() + place, end, byte, 16);
    const bool separated = place + 2 >= text.size() || text[place + 2] == ':';
    if (error != std::errc() || stop != end || place + 2 > text.size() || !separated) break;
    bytes += static_cast<char>(byte);
  }
  if (bytes.size() != kHardwareSize || text.size() != kHardwareSize * 3 - 1)
    return refuse(pointer, ErrorKind::InvalidConfig,
                  "\"{}\" is no address such as 02:42:0a:01:00:02", text);
  if ((bytes.front() & 1) != 0)
    return refuse(pointer, ErrorKind::InvalidConfig, "{} is the address of a group", text);
  return bytes;
}

// dev_valid_name() of the kernel, and neither a pattern for it nor a trap for who prints it.
Result<> check_name(std::string_view name, std::string_view pointer) {
  const bool plain = std::ranges::all_of(name, [](char c) { return c > ' ' && c <= '~'; });
  const bool wrong = name.empty() || name == "." || name == ".." || name.size() >= IFNAMSIZ ||
                     name.find_first_of("/:%\"\\") != name.npos;
  if (plain && !wrong) return {};
  return refuse(
      pointer, ErrorKind::InvalidConfig,
      "\"{}\" is no name of a network device: 1 to 15 plain characters, none of / : % \" \\ "
      "or space",
      name);
}

// The network of an address that it has or will get.
const IpPrefix* network_of(const InterfacePlan& plan, const IpAddress& address) {
  for (const IpPrefix& own : plan.addresses) {
    if (contains(own, address)) return &own;
  }
  for (const SubnetPlan& subnet : plan.subnets) {
    if (contains(subnet.network, address)) return &subnet.network;
  }
  return nullptr;
}

// Every interface has an address there.
bool is_link_local(const IpAddress& address) {
  const IpAddress network{.family = AF_INET6, .bytes = "\xfe\x80" + std::string(14, '\0')};
  return contains({.address = network, .length = 10}, address);
}

Result<> check_neighbour(const InterfacePlan& plan, const IpAddress& via,
                         std::string_view pointer) {
  if (network_of(plan, via) != nullptr || is_link_local(via)) return {};
  return refuse(pointer, ErrorKind::InvalidConfig,
                "{} is in no network of the interface's addresses: it could not be reached",
                to_string(via));
}

// A bridge that is made is what the container takes for its gateway.
void reserve_gateway(const IpAddress& via, InterfacePlan& plan) {
  const IpPrefix* network = network_of(plan, via);
  if (plan.make_link && network != nullptr)
    plan.link_addresses.push_back({.address = via, .length = network->length});
  for (SubnetPlan& subnet : plan.subnets) {
    if (contains(subnet.network, via)) subnet.reserved.push_back(via);
  }
}

void add_default_route(const IpAddress& via, InterfacePlan& plan) {
  const IpAddress all{.family = via.family, .bytes = std::string(via.bytes.size(), '\0')};
  plan.routes.push_back({.to = {.address = all}, .via = via});
}

bool has_default_route(const InterfacePlan& plan, int family) {
  return std::ranges::any_of(plan.routes, [family](const RoutePlan& route) {
    return route.to.length == 0 && route.to.address.family == family;
  });
}

Result<> add_gateways(const Interface& wanted, const Place& place, InterfacePlan& plan) {
  for (size_t i = 0; i < wanted.gateways.size(); ++i) {
    const std::string pointer = place.below("gateways", i);
    const IpAddress via = TRY(read_address(wanted.gateways[i], pointer));
    TRY(check_neighbour(plan, via, pointer));
    reserve_gateway(via, plan);
    add_default_route(via, plan);
  }
  for (size_t i = 0; i < plan.subnets.size(); ++i) {
    if (!plan.subnets[i].reserved.empty()) continue;
    const IpAddress first = address_in(plan.subnets[i].network, 1);
    reserve_gateway(first, plan);
    if (!has_default_route(plan, first.family)) add_default_route(first, plan);
  }
  return {};
}

Result<> add_subnets(const Interface& wanted, const Place& place, InterfacePlan& plan) {
  constexpr size_t kLeastBits = 2;  // the gateway, and somebody who uses it
  for (size_t i = 0; i < wanted.subnets.size(); ++i) {
    const std::string pointer = place.below("subnets", i);
    const IpPrefix network = TRY(read_prefix(wanted.subnets[i], pointer));
    TRY(check_network(network, pointer));
    if (network.length + kLeastBits > network.address.bytes.size() * 8)
      return refuse(pointer, ErrorKind::InvalidConfig, "{} has no address to give",
                    to_string(network));
    plan.subnets.push_back({.network = network});
  }
  return {};
}

bool has_family(const InterfacePlan& plan, int family) {
  const auto is_of = [family](const IpPrefix& own) { return own.address.family == family; };
  return std::ranges::any_of(plan.addresses, is_of) ||
         std::ranges::any_of(plan.subnets, is_of, &SubnetPlan::network);
}

// A service of the host has one answer: two ports that are the same to somebody are refused.
bool overlap(const PortPlan& one, const PortPlan& other) {
  return one.protocol == other.protocol && one.host_port == other.host_port &&
         (one.host.bytes.empty() || other.host.bytes.empty() || one.host == other.host);
}

Result<PortPlan> plan_port(const PublishedPort& wanted, const Place& place,
                           const InterfacePlan& plan) {
  PortPlan port{.protocol = wanted.protocol, .host_port = wanted.host_port, .port = wanted.port};
  if (wanted.host_port == 0 || wanted.port == 0)
    return refuse(place.below(wanted.port == 0 ? "port" : "hostPort"), ErrorKind::InvalidConfig,
                  "0 is no port");
  if (!wanted.host.empty()) {
    port.host = TRY(read_address(wanted.host, place.below("host")));
    if (plan.kind != Interface::Kind::Cni && !has_family(plan, port.host.family))
      return refuse(place.below("host"), ErrorKind::InvalidConfig,
                    "the interface has no address of the kind of {}", wanted.host);
  }
  const auto same =
      std::ranges::find_if(plan.ports, [&](const PortPlan& other) { return overlap(port, other); });
  if (same == plan.ports.end()) return port;
  return refuse(place.below("hostPort"), ErrorKind::InvalidConfig, "{} is published twice",
                wanted.host_port);
}

Result<> add_ports(const Interface& wanted, const Place& place, InterfacePlan& plan) {
  plan.nat = wanted.nat;
  const bool translates = wanted.nat || !wanted.ports.empty();
  if (!translates) return {};
  const std::string pointer = place.below(wanted.nat ? "nat" : "ports");
  const bool is_cni = wanted.kind == Interface::Kind::Cni;
  if (wanted.kind != Interface::Kind::Bridge && !is_cni)
    return refuse(pointer, ErrorKind::InvalidConfig, "only an interface of a bridge can have it");
  if (!is_cni && plan.addresses.empty() && plan.subnets.empty())
    return refuse(pointer, ErrorKind::InvalidConfig, "the interface has no address");
  for (size_t i = 0; i < wanted.ports.size(); ++i)
    plan.ports.push_back(TRY(plan_port(wanted.ports[i], {place.below("ports", i)}, plan)));
  return {};
}

Result<> add_routes(const Interface& wanted, const Place& place, InterfacePlan& plan) {
  for (size_t i = 0; i < wanted.routes.size(); ++i) {
    const Place route{place.below("routes", i)};
    const Route& asked = wanted.routes[i];
    RoutePlan planned;
    if (!asked.via.empty()) {
      planned.via = TRY(read_address(asked.via, route.below("via")));
      TRY(check_neighbour(plan, planned.via, route.below("via")));
    }
    if (asked.to == "default") {
      if (asked.via.empty())
        return refuse(route.pointer, ErrorKind::InvalidConfig, "a default route needs \"via\"");
      planned.to.address = {.family = planned.via.family,
                            .bytes = std::string(planned.via.bytes.size(), '\0')};
    } else {
      planned.to = TRY(read_prefix(asked.to, route.below("to")));
      TRY(check_network(planned.to, route.below("to")));
    }
    if (!asked.via.empty() && planned.via.family != planned.to.address.family)
      return refuse(route.pointer, ErrorKind::InvalidConfig, "{} cannot be reached by way of {}",
                    asked.to, asked.via);
    plan.routes.push_back(std::move(planned));
  }
  return {};
}

Result<> check_mtu(const Interface& wanted, const Place& place, const InterfacePlan& plan) {
  if (wanted.mtu == 0) return {};
  const bool has_v6 = has_family(plan, AF_INET6);
  const uint32_t least = has_v6 ? kLeastMtuV6 : kLeastMtu;
  if (wanted.mtu >= least && wanted.mtu <= kMostMtu) return {};
  return refuse(place.below("mtu"), ErrorKind::InvalidConfig, "{} is not from {} to {}{}",
                wanted.mtu, least, kMostMtu, has_v6 ? ", as IPv6 needs it" : "");
}

// Its plugins know all the rest.
Result<> check_cni(const Interface& wanted, const Place& place) {
  const std::pair<std::string_view, bool> foreign[] = {{"makeLink", wanted.make_link},
                                                       {"subnets", !wanted.subnets.empty()},
                                                       {"gateways", !wanted.gateways.empty()},
                                                       {"routes", !wanted.routes.empty()},
                                                       {"nat", wanted.nat},
                                                       {"mtu", wanted.mtu != 0}};
  for (const auto& [name, is_asked] : foreign) {
    if (is_asked)
      return refuse(place.below(name), ErrorKind::InvalidConfig,
                    "an interface of CNI has it from the network's configuration");
  }
  const auto is_plain = [](unsigned char c) {
    return ::isalnum(c) != 0 || c == '_' || c == '.' || c == '-';
  };
  const std::string& name = wanted.link;
  if (!name.empty() && ::isalnum(static_cast<unsigned char>(name.front())) != 0 &&
      std::ranges::all_of(name, is_plain))
    return {};
  return refuse(place.below("link"), ErrorKind::InvalidConfig,
                "\"{}\" is no name of a CNI network: letters, digits, and _ . - after the first",
                name);
}

Result<> check_link(const Interface& wanted, const Place& place) {
  if (wanted.kind == Interface::Kind::Cni) return check_cni(wanted, place);
  return check_name(wanted.link, place.below("link"));
}

Result<InterfacePlan> plan_interface(const Interface& wanted, const Place& place) {
  InterfacePlan plan{.kind = wanted.kind,
                     .link = wanted.link,
                     .make_link = wanted.make_link,
                     .name = wanted.name,
                     .mtu = wanted.mtu,
                     .pointer = place.pointer};
  TRY(check_link(wanted, place));
  if (!wanted.name.empty()) TRY(check_name(wanted.name, place.below("name")));
  if (wanted.make_link && wanted.kind != Interface::Kind::Bridge)
    return refuse(place.below("makeLink"), ErrorKind::InvalidConfig, "only a bridge can be made");
  for (size_t i = 0; i < wanted.addresses.size(); ++i)
    plan.addresses.push_back(TRY(read_prefix(wanted.addresses[i], place.below("addresses", i))));
  TRY(add_subnets(wanted, place, plan));
  TRY(add_gateways(wanted, place, plan));
  TRY(add_routes(wanted, place, plan));
  TRY(add_ports(wanted, place, plan));
  TRY(check_mtu(wanted, place, plan));
  if (!wanted.mac.empty()) plan.hardware = TRY(read_hardware(wanted.mac, place.below("mac")));
  return plan;
}

bool is_named(const std::vector<InterfacePlan>& plans, std::string_view name) {
  return std::ranges::any_of(plans,
                             [name](const InterfacePlan& each) { return each.name == name; });
}

// Two with one name could not both be made.
Result<> name_all(std::vector<InterfacePlan>& plans, std::span<const std::string> taken) {
  for (size_t i = 0; i < plans.size(); ++i) {
    const std::string& name = plans[i].name;
    if (name.empty()) continue;
    const auto same = std::ranges::count(plans, name, &InterfacePlan::name);
    if (same > 1 || std::ranges::find(taken, name) != taken.end())
      return refuse(plans[i].pointer + "/name", ErrorKind::InvalidConfig,
                    "there is another network device {} in the container", name);
  }
  for (InterfacePlan& plan : plans) {
    for (int number = 0; plan.name.empty(); ++number) {
      std::string name = formatted("eth{}", number);
      if (!is_named(plans, name) && std::ranges::find(taken, name) == taken.end())
        plan.name = std::move(name);
    }
  }
  return {};
}

}  // namespace

std::string_view to_string(PublishedPort::Protocol protocol) {
  return json::name_of(static_cast<int>(protocol),
                       names(static_cast<const PublishedPort::Protocol*>(nullptr)));
}

Result<std::vector<InterfacePlan>> plan_interfaces(const std::vector<Interface>& interfaces,
                                                   std::span<const std::string> taken,
                                                   std::string_view pointer) {
  std::vector<InterfacePlan> plans;
  for (size_t i = 0; i < interfaces.size(); ++i)
    plans.push_back(TRY(plan_interface(interfaces[i], {formatted("{}/{}", pointer, i)})));
  TRY(name_all(plans, taken));
  return plans;
}

}  // namespace berth::plan
