// SPDX-License-Identifier: Apache-2.0
#include "engine/attach_network.h"

#include <fcntl.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "network/namespace.h"
#include "os/file.h"
#include "sync/step.h"

namespace berth::engine {
namespace {

// One that cannot be looked at is taken for the host's: nothing is done there.
bool is_own(int network_namespace) { return network::is_own(network_namespace).value_or(true); }

// What failed for one annotation or object of the config, as this step.
Result<> in_step(Result<> result, std::string_view pointer) {
  if (result) return result;
  result.error().set_step(to_string(sync::Step::AttachNetwork));
  if (!pointer.empty()) result.error().set_pointer(pointer);
  return result;
}

Result<> examine_devices(Creation& creation) {
  const std::vector<spec::NetDevice>& wanted = creation.plan.host.net_devices;
  if (wanted.empty()) return {};
  auto devices = std::make_unique<network::MovedDevices>(wanted);
  TRY(in_step(devices->validate(), "/linux/netDevices"));
  creation.record.net_devices = devices->devices();
  creation.moved_devices = std::move(devices);
  return {};
}

std::string state_path(const Creation& creation) {
  return creation.factory.state_root + "/" + creation.plan.host.id;
}

Result<> examine_interfaces(Creation& creation) {
  const std::vector<plan::InterfacePlan>& wanted = creation.plan.host.interfaces;
  if (wanted.empty()) return {};
  auto interfaces = std::make_unique<network::Interfaces>(state_path(creation), wanted);
  TRY(in_step(interfaces->validate(), wanted.front().pointer));
  creation.record.interfaces = interfaces->made();
  creation.interfaces = std::move(interfaces);
  return {};
}

bool was_given_network(const Record& record) {
  return !record.net_devices.empty() || !record.interfaces.empty();
}

}  // namespace

Result<os::UniqueFd> open_network_of(pid_t process) {
  return os::open_at(AT_FDCWD, formatted("/proc/{}/ns/net", process).c_str(), O_RDONLY);
}

std::string joined_network(const spec::Spec& spec) {
  const auto& namespaces = spec.platform.namespaces;
  const auto network =
      std::ranges::find(namespaces, spec::NamespaceType::Network, &spec::Namespace::type);
  return network == namespaces.end() ? std::string() : network->path;
}

Result<> examine_network(Creation& creation) {
  TRY(examine_devices(creation));
  TRY(examine_interfaces(creation));
  if (was_given_network(creation.record))
    creation.record.network_path = joined_network(creation.spec);
  return {};
}

Result<> attach_network(Creation& creation) {
  if (!was_given_network(creation.record)) return {};
  creation.network_namespace = TRY(open_network_of(creation.init.pid()));
  const int there = creation.network_namespace.get();
  if (creation.moved_devices) TRY(in_step(creation.moved_devices->attach(there), ""));
  if (creation.interfaces) TRY(in_step(creation.interfaces->attach(there), ""));
  return {};
}

Result<os::UniqueFd> hold_network(const Record& record, const cgroup::CgroupManager& cgroup) {
  if (!was_given_network(record)) return os::UniqueFd();
  if (!record.network_path.empty()) {
    Result<os::UniqueFd> joined = os::open_at(AT_FDCWD, record.network_path.c_str(), O_RDONLY);
    if (joined && !is_own(joined->get())) return joined;
  }
  // Any of its processes: init may have been killed before its pid was written down.
  for (const pid_t process : TRY(cgroup.processes())) {
    Result<os::UniqueFd> there = open_network_of(process);
    if (there && !is_own(there->get())) return there;
  }
  return os::UniqueFd();
}

Result<> give_network_back(const Record& record, const std::string& state,
                           const os::UniqueFd& network_namespace) {
  Result<> released;
  if (!record.interfaces.empty())
    released = network::Interfaces(state, record.interfaces).release(network_namespace.get());
  if (record.net_devices.empty()) return released;
  Result<> given = network::MovedDevices(record.net_devices).release(network_namespace.get());
  return released ? std::move(given) : std::move(released);
}

std::vector<InterfaceStats> count_interfaces(const Record& record) {
  const Result<os::UniqueFd> there = open_network_of(record.pid);
  if (!there || is_own(there->get())) return {};
  const Result<os::UniqueFd> socket = network::open_route_socket_in(there->get());
  if (!socket) return {};
  const auto devices = network::list_devices(socket->get());
  std::vector<InterfaceStats> counted;
  if (!devices) return counted;
  for (const network::Device& device : *devices) {
    if (device.name != "lo") counted.push_back({.name = device.name, .counters = device.counters});
  }
  return counted;
}

}  // namespace berth::engine
