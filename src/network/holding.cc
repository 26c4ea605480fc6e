// SPDX-License-Identifier: Apache-2.0
#include "network/holding.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "core/context.h"
#include "network/allocate.h"
#include "network/device.h"
#include "network/link.h"
#include "network/made_bridge.h"
#include "os/fd.h"

namespace berth::network {
namespace {

using Protocol = PublishedPort::Protocol;

PublishedPort published(const plan::PortPlan& port) {
  return {.protocol = port.protocol,
          .host = port.host.bytes.empty() ? std::string() : to_string(port.host),
          .host_port = port.host_port,
          .port = port.port};
}

bool overlap(const PublishedPort& one, const PublishedPort& other) {
  return one.protocol == other.protocol && one.host_port == other.host_port &&
         (one.host.empty() || other.host.empty() || one.host == other.host);
}

const Holding* holder_of(const Ledger& ledger, const PublishedPort& port) {
  for (const Holding& each : ledger.holdings()) {
    if (is_leftover(each)) continue;
    for (const PublishedPort& held : each.ports) {
      if (overlap(held, port)) return &each;
    }
  }
  return nullptr;
}

struct Endpoint {
  sockaddr_storage address = {};
  socklen_t size = 0;
};

Endpoint endpoint_of(const plan::PortPlan& port, int family) {
  Endpoint end;
  if (family == AF_INET) {
    auto& address = reinterpret_cast<sockaddr_in&>(end.address);
    address.sin_family = AF_INET;
    address.sin_port = htons(port.host_port);
    if (!port.host.bytes.empty()) memcpy(&address.sin_addr, port.host.bytes.data(), 4);
    end.size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in6&>(end.address);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(port.host_port);
    if (!port.host.bytes.empty()) memcpy(&address.sin6_addr, port.host.bytes.data(), 16);
    end.size = sizeof address;
  }
  return end;
}

// The rule would take it from whoever listens, without a word.
bool is_listened_on(const plan::PortPlan& port, int family) {
  if (!port.host.bytes.empty() && port.host.family != family) return false;
  const bool is_stream = port.protocol == Protocol::Tcp;
  if (!is_stream && port.protocol != Protocol::Udp) return false;
  const os::UniqueFd probe(
      ::socket(family, (is_stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0));
  if (!probe) return false;
  const int on = 1;
  if (is_stream) (void)::setsockopt(probe.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (family == AF_INET6)
    (void)::setsockopt(probe.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  const Endpoint end = endpoint_of(port, family);
  return ::bind(probe.get(), reinterpret_cast<const sockaddr*>(&end.address), end.size) < 0 &&
         errno == EADDRINUSE;
}

std::string id_of(const Holding& holding) {
  return holding.state.substr(holding.state.rfind('/') + 1);
}

Result<> check_port(const Ledger& ledger, const plan::PortPlan& port) {
  const PublishedPort wanted = published(port);
  const std::string name =
      formatted("port {}/{} of the host", port.host_port, plan::to_string(port.protocol));
  if (const Holding* other = holder_of(ledger, wanted))
    return fail(ErrorKind::AlreadyExists, "{} is taken by container {}", name, id_of(*other));
  if (is_listened_on(port, AF_INET) || is_listened_on(port, AF_INET6))
    return fail(ErrorKind::AlreadyExists, "{} is taken by a program that listens there", name);
  return {};
}

Translation translation_of(const Holding& holding, const plan::InterfacePlan& plan) {
  return {.host_name = holding.host_name,
          .link = plan.link,
          .addresses = plan.addresses,
          .nat = plan.nat,
          .ports = plan.ports};
}

// A name alone may be somebody else's by now. Without an alias it was made by who was killed then.
Result<> remove_end(int socket, const Holding& holding) {
  Result<Device> device = find_device(socket, holding.host_name);
  if (!device && device.error().kind() != ErrorKind::NotFound)
    return std::unexpected(std::move(device).error());
  if (!device || !is_made_for(*device, id_of(holding))) return {};
  return remove_device(socket, device->index);
}

// Another one of the link may need it, and gives it back then.
Result<> hand_loopback_on(Ledger& ledger, const Holding& holding) {
  for (const Holding& other : ledger.holdings()) {
    if (other.link != holding.link || other.ports.empty()) continue;
    Holding heir = other;
    heir.routes_loopback = true;
    ledger.put(std::move(heir));
    return {};
  }
  return route_loopback(holding.link, false);
}

Result<> drop_rules(const Holding& holding) {
  if (!holding.has_rules) return {};
  Result<> removed = remove_rules(holding.host_name);
  // Without `nft` none were made.
  const bool none = !removed && removed.error().kind() == ErrorKind::Unsupported;
  return none ? Result<>() : std::move(removed);
}

}  // namespace

Result<> check_ports(const Ledger& ledger, const plan::InterfacePlan& plan) {
  for (size_t i = 0; i < plan.ports.size(); ++i)
    TRY(check_port(ledger, plan.ports[i]) | at(formatted("{}/ports/{}", plan.pointer, i)));
  return {};
}

Result<Holding> take(Ledger& ledger, Holding names, int host_socket, plan::InterfacePlan& plan) {
  Holding holding = std::move(names);
  TRY(check_ports(ledger, plan));
  if (!plan.subnets.empty()) {
    const Device link = TRY(find_device(host_socket, plan.link));
    const auto of_link = TRY(list_addresses(host_socket, link.index));
    const auto given =
        TRY(allocate_addresses(ledger, plan, of_link) | at(plan.pointer + "/subnets"));
    std::ranges::copy(given, std::back_inserter(plan.addresses));
  }
  for (const plan::IpPrefix& each : plan.addresses)
    holding.addresses.push_back(to_string(each.address));
  for (const plan::PortPlan& port : plan.ports) holding.ports.push_back(published(port));
  holding.has_rules = plan.nat || !plan.ports.empty();
  if (translation_of(holding, plan).serves_loopback())
    holding.routes_loopback = !TRY(routes_loopback(plan.link));
  ledger.put(holding);
  TRY(ledger.save());
  return holding;
}

Result<> translate(const Holding& holding, int host_socket, const plan::InterfacePlan& plan) {
  if (!holding.has_rules) return {};
  const Translation translation = translation_of(holding, plan);
  TRY(add_rules(translation) | at(plan.pointer));
  if (holding.routes_loopback) TRY(route_loopback(plan.link, true));
  if (!plan.ports.empty()) {
    const Device end = TRY(find_device(host_socket, holding.host_name));
    TRY(set_hairpin(host_socket, end.index));
  }
  for (const plan::IpPrefix& each : plan.addresses) TRY(forward(each.address.family));
  return {};
}

Result<> give_back(Ledger& ledger, Holding held, int host_socket) {
  Result<> first = drop_rules(held);
  const auto note = [&first](Result<> result) {
    if (first && !result) first = std::move(result);  // the others must go all the same
  };
  if (!held.host_name.empty()) note(remove_end(host_socket, held));
  ledger.drop(held.state, held.interface);
  if (held.routes_loopback) note(hand_loopback_on(ledger, held));
  note(remove_unused_bridge(host_socket, held.link));
  // What could not be undone can be tried again.
  if (!first) ledger.put(std::move(held));
  return first;
}

}  // namespace berth::network
