// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "berth/try.h"
#include "core/context.h"
#include "plan/interface_plan.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

constexpr uint32_t kLeastMtu = 68;      // IPv4's: RFC 791
constexpr uint32_t kLeastMtuV6 = 1280;  // RFC 8200
constexpr uint32_t kMostMtu = 65535;
constexpr size_t kHardwareSize = 6;

uint8_t bits_of(const IpAddress& address) { return static_cast<uint8_t>(address.bytes.size() * 8); }

// Where in the list of interfaces: "/1/gateways/0".
struct Place {
  std::string pointer;
  std::string below(std::string_view name) const { return pointer + "/" + std::string(name); }
  std::string below(std::string_view name, size_t index) const {
    return formatted("{}/{}/{}", pointer, name, index);
  }
};

Result<IpAddress> read_address(std::string_view text, std::string_view pointer) {
  const std::string copy(text);
  char bytes[sizeof(in6_addr)];
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, copy.c_str(), bytes) != 1) continue;
    const size_t size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
    return IpAddress{.family = static_cast<uint8_t>(family), .bytes = std::string(bytes, size)};
  }
  return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\" is no IP address", text);
}

Result<IpPrefix> read_prefix(std::string_view text, std::string_view pointer) {
  const size_t slash = text.find('/');
  IpPrefix prefix{.address = TRY(read_address(text.substr(0, slash), pointer))};
  prefix.length = bits_of(prefix.address);
  if (slash == text.npos) {
    return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\" does not say its network: {}/{}", text,
                  text, prefix.address.family == AF_INET ? 24 : 64);
  }
  unsigned length = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, length);
  if (error != std::errc() || stop != end || length > prefix.length)
    return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\": {} bits are no part of an address",
                  text, text.substr(slash + 1));
  prefix.length = static_cast<uint8_t>(length);
  return prefix;
}

// Bits behind the length are somebody's address, where a network is expected.
Result<> check_network(const IpPrefix& prefix, std::string_view pointer) {
  for (size_t bit = prefix.length; bit < bits_of(prefix.address); ++bit) {
    const auto byte = static_cast<unsigned char>(prefix.address.bytes[bit / 8]);
    if ((byte >> (7 - bit % 8) & 1) != 0)
      return refuse(pointer, ErrorKind::InvalidConfig, "{} is an address, not a network",
                    to_string(prefix));
  }
  return {};
}

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

const IpPrefix* network_of(const InterfacePlan& plan, const IpAddress& address) {
  const auto found = std::ranges::find_if(
      plan.addresses, [&](const IpPrefix& own) { return contains(own, address); });
  return found == plan.addresses.end() ? nullptr : &*found;
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

Result<> add_gateways(const Interface& wanted, const Place& place, InterfacePlan& plan) {
  for (size_t i = 0; i < wanted.gateways.size(); ++i) {
    const std::string pointer = place.below("gateways", i);
    const IpAddress via = TRY(read_address(wanted.gateways[i], pointer));
    TRY(check_neighbour(plan, via, pointer));
    const IpPrefix* network = network_of(plan, via);
    if (plan.make_link && network != nullptr)
      plan.link_addresses.push_back({.address = via, .length = network->length});
    const IpAddress all{.family = via.family, .bytes = std::string(via.bytes.size(), '\0')};
    plan.routes.push_back({.to = {.address = all}, .via = via});
  }
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
  const bool has_v6 = std::ranges::any_of(
      plan.addresses, [](const IpPrefix& own) { return own.address.family == AF_INET6; });
  const uint32_t least = has_v6 ? kLeastMtuV6 : kLeastMtu;
  if (wanted.mtu >= least && wanted.mtu <= kMostMtu) return {};
  return refuse(place.below("mtu"), ErrorKind::InvalidConfig, "{} is not from {} to {}{}",
                wanted.mtu, least, kMostMtu, has_v6 ? ", as IPv6 needs it" : "");
}

Result<InterfacePlan> plan_interface(const Interface& wanted, const Place& place) {
  InterfacePlan plan{.kind = wanted.kind,
                     .link = wanted.link,
                     .make_link = wanted.make_link,
                     .name = wanted.name,
                     .mtu = wanted.mtu,
                     .pointer = place.pointer};
  TRY(check_name(wanted.link, place.below("link")));
  if (!wanted.name.empty()) TRY(check_name(wanted.name, place.below("name")));
  if (wanted.make_link && wanted.kind != Interface::Kind::Bridge)
    return refuse(place.below("makeLink"), ErrorKind::InvalidConfig, "only a bridge can be made");
  for (size_t i = 0; i < wanted.addresses.size(); ++i)
    plan.addresses.push_back(TRY(read_prefix(wanted.addresses[i], place.below("addresses", i))));
  TRY(add_gateways(wanted, place, plan));
  TRY(add_routes(wanted, place, plan));
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

std::string text_of(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(address.family, address.bytes.data(), text, sizeof text);
  return text;
}

}  // namespace

bool contains(const IpPrefix& network, const IpAddress& address) {
  if (network.address.family != address.family) return false;
  for (size_t bit = 0; bit < network.length; ++bit) {
    const int difference = network.address.bytes[bit / 8] ^ address.bytes[bit / 8];
    if ((difference >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

std::string to_string(const IpAddress& address) { return text_of(address); }

std::string to_string(const IpPrefix& prefix) {
  return formatted("{}/{}", text_of(prefix.address), static_cast<unsigned>(prefix.length));
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
