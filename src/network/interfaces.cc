// SPDX-License-Identifier: Apache-2.0
#include "network/interfaces.h"

#include <errno.h>
#include <linux/if.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "network/address.h"
#include "network/link.h"
#include "network/made_bridge.h"
#include "network/namespace.h"

namespace berth::network {
namespace {

constexpr size_t kAliasSize = 255;  // IFALIASZ, less its NUL

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

// The namespaces of both ends, for one interface after the other.
struct Sides {
  int host;  // route sockets
  int inside;
  int container;  // its network namespace
  std::string alias;
};

Result<Device> link_of(int host, const plan::InterfacePlan& plan) {
  if (plan.kind == Interface::Kind::Bridge) return find_or_make_bridge(host, plan);
  return find_device(host, plan.link);
}

Result<> make(const Sides& sides, const plan::InterfacePlan& plan, const MadeInterface& made) {
  const Device link = TRY(link_of(sides.host, plan));
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

// A name alone may be somebody else's by now. Without an alias it was made by who was killed then.
bool is_ours(const Device& device, std::string_view alias) {
  const bool made = device.kind == "veth" || device.kind == "macvlan";
  return made && (device.alias.empty() || device.alias == alias);
}

Result<> remove(int socket, const std::string& name, std::string_view alias) {
  Result<Device> device = find_device(socket, name);
  if (!device && device.error().kind() != ErrorKind::NotFound)
    return std::unexpected(std::move(device).error());
  if (!device) return {};
  return is_ours(*device, alias) ? remove_device(socket, device->index) : Result<>();
}

}  // namespace

std::string alias_of(const std::string& id) { return ("berth:" + id).substr(0, kAliasSize); }

Result<> Interfaces::validate() {
  const os::UniqueFd host = TRY(open_own_socket());
  const std::vector<Device> devices = TRY(list_devices(host.get()));
  for (const plan::InterfacePlan& plan : wanted_) {
    TRY(check_link(devices, plan) | at(plan.pointer + "/link"));
    MadeInterface made{
        .kind = plan.kind, .link = plan.link, .made_link = plan.make_link, .name = plan.name};
    if (plan.kind == Interface::Kind::Bridge) made.host_name = TRY(free_name(devices));
    made_.push_back(std::move(made));
  }
  return {};
}

Result<> Interfaces::attach(int network_namespace) {
  TRY(check_other(network_namespace) | at(wanted_.front().pointer));
  const bool may_make = std::ranges::any_of(wanted_, &plan::InterfacePlan::make_link);
  const os::UniqueFd lock = may_make ? TRY(lock_bridges()) : os::UniqueFd();
  const os::UniqueFd host = TRY(open_own_socket());
  const os::UniqueFd inside = TRY(open_route_socket_in(network_namespace));
  const Sides sides{host.get(), inside.get(), network_namespace, alias_of(id_)};
  for (size_t i = 0; i < wanted_.size(); ++i) {
    TRY(make(sides, wanted_[i], made_[i]) | at(wanted_[i].pointer));
    TRY(configure(sides, wanted_[i]) | at(wanted_[i].pointer));
  }
  return {};
}

Result<> Interfaces::release(int network_namespace) {
  const bool made_link = std::ranges::any_of(made_, &MadeInterface::made_link);
  const os::UniqueFd lock = made_link ? TRY(lock_bridges()) : os::UniqueFd();
  const os::UniqueFd host = TRY(open_own_socket());
  const os::UniqueFd inside =
      network_namespace < 0 ? os::UniqueFd() : TRY(open_route_socket_in(network_namespace));
  const std::string alias = alias_of(id_);
  Result<> first;
  for (const MadeInterface& made : made_) {
    Result<> result;
    if (!made.host_name.empty()) result = remove(host.get(), made.host_name, alias);
    if (made.host_name.empty() && inside) result = remove(inside.get(), made.name, alias);
    if (result && made.made_link) result = remove_unused_bridge(host.get(), made.link);
    result = std::move(result) | context("remove network interface {}", made.name);
    if (first && !result) first = std::move(result);  // the others must go all the same
  }
  return first;
}

}  // namespace berth::network
