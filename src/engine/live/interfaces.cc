// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "core/context.h"
#include "engine/attach_network.h"
#include "engine/live/inside.h"
#include "engine/transaction.h"
#include "network/cni.h"
#include "network/device.h"
#include "network/interfaces.h"
#include "network/namespace.h"
#include "plan/interface_plan.h"
#include "spec/read_spec.h"

// The interfaces of a container that runs: docs/networking.md.
namespace berth {
namespace {

using engine::StateDir;
using network::MadeInterface;

struct Inside : engine::Inside {
  os::UniqueFd network_namespace;
};

Result<Inside> enter_network(StateDir directory) {
  engine::Inside inside = TRY(engine::enter(std::move(directory)));
  os::UniqueFd there = TRY(engine::open_network_of(inside.record().pid));
  // The pid may have become another's while it was opened.
  if (TRY(os::wait_exit(inside.init.get(), 0)))
    return fail(ErrorKind::WrongState, "container not running: {}", inside.record().id);
  return Inside{std::move(inside), std::move(there)};
}

std::vector<std::string> names_of(const std::vector<network::Device>& devices) {
  std::vector<std::string> names;
  for (const network::Device& device : devices) names.push_back(device.name);
  return names;
}

// Those of CNI, too, that its plugins have made: a list of them need not make a device of that
// name.
std::vector<std::string> names_taken(Inside& inside, const std::vector<network::Device>& devices) {
  std::vector<std::string> names = names_of(devices);
  for (const MadeInterface& made : inside.record().interfaces) {
    if (made.kind == Interface::Kind::Cni &&
        !network::cni_result({inside.directory.path(), made.name}).empty())
      names.push_back(made.name);
  }
  return names;
}

// What a killed attach has announced and not made, or what was removed inside: its name is free.
Result<> forget_missing(Inside& inside, const std::vector<std::string>& names) {
  std::vector<MadeInterface> missing;
  for (const MadeInterface& made : inside.record().interfaces) {
    if (std::ranges::find(names, made.name) == names.end()) missing.push_back(made);
  }
  if (missing.empty()) return {};
  std::erase_if(inside.record().interfaces, [&](const MadeInterface& made) {
    return std::ranges::find(missing, made) != missing.end();
  });
  return network::Interfaces(inside.directory.path(), missing)
      .release(inside.network_namespace.get());
}

// The record says first what will be made: whoever is killed then, `delete` and the next attach
// find it.
Result<> attach(Inside& inside, network::Interfaces& interfaces) {
  TRY(interfaces.validate());
  const std::vector<MadeInterface> before = inside.record().interfaces;
  inside.record().network_path =
      engine::joined_network(TRY(spec::read_spec(inside.snapshot.config, spec::Detail::Effects)));
  std::ranges::copy(interfaces.made(), std::back_inserter(inside.record().interfaces));
  engine::Transaction transaction;
  transaction.on_failure([&]() -> Result<> {
    TRY(interfaces.release(inside.network_namespace.get()));
    inside.record().interfaces = before;
    return inside.save();
  });
  Result<> done = inside.save();
  if (done) done = interfaces.attach(inside.network_namespace.get());
  return done ? std::move(done) : transaction.roll_back(std::move(done).error());
}

InterfaceState state_of(const network::Device& device,
                        const std::vector<network::Address>& addresses,
                        const std::vector<MadeInterface>& made, const std::string& path) {
  InterfaceState state{.name = device.name,
                       .kind = device.kind,
                       .mac = network::hardware_text(device.hardware),
                       .mtu = device.mtu,
                       .is_up = device.is_up,
                       .counters = device.counters};
  for (const network::Address& address : addresses)
    state.addresses.push_back(network::address_text(address));
  const auto ours = std::ranges::find(made, device.name, &MadeInterface::name);
  if (ours == made.end()) return state;
  state.is_made = true;
  state.link = ours->link;
  state.host_name = ours->host_name;
  if (ours->kind == Interface::Kind::Cni) state.cni = network::cni_result({path, ours->name});
  return state;
}

}  // namespace

[[gnu::cold]] Result<std::vector<std::string>> Container::attach_interfaces(
    const std::vector<Interface>& wanted) {
  StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Inside inside = TRY(enter_network(std::move(directory)));
  TRY(network::check_other(inside.network_namespace.get()));
  const os::UniqueFd socket = TRY(network::open_route_socket_in(inside.network_namespace.get()));
  const std::vector<std::string> names = names_taken(inside,
                                                     TRY(network::list_devices(socket.get())));
  auto plans = plan::plan_interfaces(wanted, names, "");
  if (!plans) plans.error().set_place("interface");
  std::vector<plan::InterfacePlan> planned = TRY(std::move(plans));
  TRY(forget_missing(inside, names));
  network::Interfaces interfaces(inside.directory.path(), planned);
  Result<> done = attach(inside, interfaces);
  if (!done) done.error().set_place("interface");
  TRY(std::move(done));
  std::vector<std::string> made;
  for (const plan::InterfacePlan& each : planned) made.push_back(each.name);
  return made;
}

[[gnu::cold]] Result<std::vector<std::string>> remove_network_leftovers() {
  return network::remove_leftovers();
}

[[gnu::cold]] Result<> Container::detach_interfaces(const std::vector<std::string>& names) {
  StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Inside inside = TRY(enter_network(std::move(directory)));
  std::vector<MadeInterface>& all = inside.record().interfaces;
  std::vector<MadeInterface> leaving;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(all, name, &MadeInterface::name);
    if (found == all.end())
      return fail(ErrorKind::NotFound, "container {} has no interface {} that berth has made", id(),
                  name);
    leaving.push_back(*found);
  }
  TRY(network::Interfaces(inside.directory.path(), leaving)
          .release(inside.network_namespace.get()));
  std::erase_if(all, [&](const MadeInterface& made) {
    return std::ranges::find(leaving, made) != leaving.end();
  });
  return inside.save();
}

[[gnu::cold]] Result<std::vector<InterfaceState>> Container::interfaces() const {
  Inside inside = TRY(enter_network(TRY(inner_->open())));
  const os::UniqueFd socket = TRY(network::open_route_socket_in(inside.network_namespace.get()));
  std::vector<InterfaceState> states;
  for (const network::Device& device : TRY(network::list_devices(socket.get()))) {
    states.push_back(state_of(device, TRY(network::list_addresses(socket.get(), device.index)),
                              inside.record().interfaces, inside.directory.path()));
  }
  return states;
}

}  // namespace berth
