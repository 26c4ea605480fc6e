// SPDX-License-Identifier: Apache-2.0
#include "network/interfaces.h"

#include <errno.h>
#include <linux/if.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <ranges>

#include "berth/try.h"
#include "core/context.h"
#include "network/address.h"
#include "network/cni.h"
#include "network/holding.h"
#include "network/ledger.h"
#include "network/link.h"
#include "network/made_bridge.h"
#include "network/namespace.h"

namespace berth::network {
namespace {

Result<std::string> random_name() {
  unsigned char bytes[4];
  if (::getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return system_error(errno, "getrandom");
  std::string name = "berth";
  for (const unsigned char byte : bytes) name += formatted("{:02x}", byte);
  return name;
}

Result<std::string> free_name(const std::vector<Device>& devices) {
  while (true) {
    std::string name = TRY(random_name());
    if (std::ranges::find(devices, name, &Device::name) == devices.end()) return name;
  }
}

Result<> check_link(const std::vector<Device>& devices, const plan::InterfacePlan& plan) {
  const auto link = std::ranges::find(devices, plan.link, &Device::name);
  const bool is_bridge = plan.kind == Interface::Kind::Bridge;
  if (link == devices.end()) {
    if (plan.make_link) return {};
    return fail(ErrorKind::NotFound, "there is no network device {}{}", plan.link,
                is_bridge
                    ? ": make it, or let berth (\"makeLink\": true; \",make\" on a command line)"
                    : "");
  }
  if (!is_bridge || link->kind == "bridge") return {};
  return fail(ErrorKind::InvalidConfig, "network device {} is no bridge", plan.link);
}

Result<> check(const std::string& state, const std::vector<Device>& devices,
               const plan::InterfacePlan& plan) {
  if (plan.kind == Interface::Kind::Cni)
    return check_cni({state, plan.name}, plan) | at(plan.pointer + "/link");
  TRY(check_link(devices, plan) | at(plan.pointer + "/link"));
  return plan.ports.empty() ? Result<>() : check_ports(TRY(Ledger::open()), plan);
}

bool is_cni(const MadeInterface& made) { return made.kind == Interface::Kind::Cni; }

// The namespaces of both ends, for one interface after the other.
struct Sides {
  int host;  // route sockets
  int inside;
  int container;  // its network namespace
  std::string alias;
};

Result<> make(const Sides& sides, const Device& link, const plan::InterfacePlan& plan,
              const MadeInterface& made) {
  const Inside inside{.name = plan.name,
                      .network_namespace = sides.container,
                      .hardware = plan.hardware,
                      .mtu = plan.mtu != 0 ? plan.mtu : link.mtu};
  if (plan.kind == Interface::Kind::Macvlan) return make_macvlan(sides.host, link, inside);
  TRY(make_pair(sides.host, made.host_name, link, inside));
  return bring_up(sides.host, made.host_name, sides.alias);
}

Result<> give_address(int socket, const Device& device, const plan::IpPrefix& address) {
  Result<> given = add_address(socket, device.index, address_of(address));
  if (given) return {};
  if (address.address.family == AF_INET6 && given.error().os_error() == EACCES)
    given.error().add_context("IPv6 is off there (sysctl net.ipv6.conf.all.disable_ipv6)");
  return std::move(given) | context("{}", to_string(address));
}

Result<> configure(const Sides& sides, const plan::InterfacePlan& plan) {
  TRY(bring_up(sides.inside, plan.name, sides.alias));
  const Device device = TRY(find_device(sides.inside, plan.name));
  for (const plan::IpPrefix& address : plan.addresses)
    TRY(give_address(sides.inside, device, address));
  for (const plan::RoutePlan& route : plan.routes)
    TRY(add_route(sides.inside, device.index, route));
  return {};
}

Result<> remove_inside(int socket, const std::string& name, const std::string& id) {
  Result<Device> device = find_device(socket, name);
  if (!device && device.error().kind() != ErrorKind::NotFound)
    return std::unexpected(std::move(device).error());
  if (!device || !is_made_for(*device, id)) return {};
  return remove_device(socket, device->index);
}

std::string id_of(const std::string& state) { return state.substr(state.rfind('/') + 1); }

Holding names_of(const std::string& state, const MadeInterface& made) {
  return {.state = state, .interface = made.name, .host_name = made.host_name, .link = made.link};
}

// The ledger is then not saved.
Result<std::vector<std::string>> give_leftovers_back(Ledger& ledger, int host) {
  std::vector<std::string> names;
  for (const Holding& each : ledger.leftovers()) {
    TRY(give_back(ledger, each, host));
    names.push_back(each.host_name.empty() ? each.interface : each.host_name);
  }
  return names;
}

}  // namespace

Result<std::vector<std::string>> remove_leftovers() {
  Ledger ledger = TRY(Ledger::open());
  const os::UniqueFd host = TRY(open_own_socket());
  std::vector<std::string> names = TRY(give_leftovers_back(ledger, host.get()));
  TRY(ledger.save());
  TRY(ledger.sweep());
  return names;
}

Result<> Interfaces::validate() {
  const os::UniqueFd host = TRY(open_own_socket());
  const std::vector<Device> devices = TRY(list_devices(host.get()));
  for (const plan::InterfacePlan& plan : wanted_) {
    TRY(check(state_, devices, plan));
    MadeInterface made{.kind = plan.kind, .link = plan.link, .name = plan.name};
    if (plan.kind == Interface::Kind::Bridge) made.host_name = TRY(free_name(devices));
    made_.push_back(std::move(made));
  }
  return {};
}

Result<> Interfaces::attach(int network_namespace) {
  TRY(check_other(network_namespace) | at(wanted_.front().pointer));
  // First, and without the ledger's lock: programs of others take their time.
  for (const plan::InterfacePlan& plan : wanted_) {
    if (plan.kind == Interface::Kind::Cni)
      TRY(add_cni({state_, plan.name, network_namespace}, plan) | at(plan.pointer));
  }
  return std::ranges::all_of(made_, is_cni) ? Result<>() : attach_own(network_namespace);
}

Result<> Interfaces::attach_own(int network_namespace) {
  Ledger ledger = TRY(Ledger::open());
  const os::UniqueFd host = TRY(open_own_socket());
  const os::UniqueFd inside = TRY(open_route_socket_in(network_namespace));
  TRY(give_leftovers_back(ledger, host.get()));
  const Sides sides{host.get(), inside.get(), network_namespace, alias_of(id_of(state_))};
  for (size_t i = 0; i < wanted_.size(); ++i) {
    plan::InterfacePlan& plan = wanted_[i];
    if (is_cni(made_[i])) continue;
    const Device link = TRY(find_or_make_link(host.get(), plan) | at(plan.pointer));
    const Holding holding =
        TRY(take(ledger, names_of(state_, made_[i]), host.get(), plan) | at(plan.pointer));
    TRY(make(sides, link, plan, made_[i]) | at(plan.pointer));
    TRY(configure(sides, plan) | at(plan.pointer));
    TRY(translate(holding, host.get(), plan) | at(plan.pointer));
  }
  return {};
}

Result<> Interfaces::release(int network_namespace) {
  Result<> own;
  if (!std::ranges::all_of(made_, is_cni)) own = release_own(network_namespace);
  Result<> cni = release_cni(network_namespace);
  return own ? std::move(cni) : std::move(own);
}

Result<> Interfaces::release_cni(int network_namespace) {
  Result<> first;
  for (const MadeInterface& made : std::views::reverse(made_)) {
    if (!is_cni(made)) continue;
    Result<> removed = remove_cni({state_, made.name, network_namespace}) |
                       context("remove network interface {}", made.name);
    if (first && !removed) first = std::move(removed);
  }
  return first;
}

Result<> Interfaces::release_own(int network_namespace) {
  Ledger ledger = TRY(Ledger::open());
  const os::UniqueFd host = TRY(open_own_socket());
  const os::UniqueFd inside =
      network_namespace < 0 ? os::UniqueFd() : TRY(open_route_socket_in(network_namespace));
  Result<> first;
  for (const MadeInterface& made : made_) {
    if (is_cni(made)) continue;
    const Holding* const held = ledger.find(state_, made.name);
    Result<> result =
        give_back(ledger, held == nullptr ? names_of(state_, made) : *held, host.get());
    if (result && made.host_name.empty() && inside)
      result = remove_inside(inside.get(), made.name, id_of(state_));
    result = std::move(result) | context("remove network interface {}", made.name);
    if (first && !result) first = std::move(result);  // the others must go all the same
  }
  Result<> saved = ledger.save();
  return first ? std::move(saved) : std::move(first);
}

}  // namespace berth::network
