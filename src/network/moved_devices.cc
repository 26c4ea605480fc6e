// SPDX-License-Identifier: Apache-2.0
#include "network/moved_devices.h"

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "network/namespace.h"
#include "spec/validate.h"

namespace berth::network {
namespace {

constexpr std::string_view kNumber = "%d";

std::string pointer_of(const MovedDevice& device) {
  return "/linux/netDevices/" + spec::pointer_token(device.host_name);
}

std::string numbered(const std::string& name, int number) {
  std::string text = name;
  return text.replace(text.find(kNumber), kNumber.size(), std::to_string(number));
}

bool is_free(const std::vector<Device>& devices, const std::string& name) {
  return std::ranges::find(devices, name, &Device::name) == devices.end();
}

// The kernel renames after the move, and leaves the device there when it cannot: a name is looked
// for before. It could also choose the number, but would not say which.
Result<std::string> choose_name(int inside, const std::string& wanted) {
  const std::vector<Device> devices = TRY(list_devices(inside));
  if (!wanted.contains(kNumber)) {
    if (is_free(devices, wanted)) return wanted;
    return fail(ErrorKind::AlreadyExists,
                "a network device {} is in the container's network namespace already", wanted);
  }
  std::string name = numbered(wanted, 0);
  for (int number = 1; !is_free(devices, name); ++number) name = numbered(wanted, number);
  return name;
}

// A move sets a device down and takes its addresses and routes away.
Result<> restore(int socket, const std::string& name, const std::vector<Address>& addresses,
                 bool up) {
  const Device device = TRY(find_device(socket, name));
  for (const Address& address : addresses) TRY(add_address(socket, device.index, address));
  return up ? set_up(socket, device.index) : Result<>();
}

bool may_be(const Device& device, const MovedDevice& moved) {
  if (device.hardware != moved.hardware) return false;
  if (device.name == moved.name || device.name == moved.host_name) return true;
  const size_t number = moved.name.find(kNumber);
  return number != std::string::npos && device.name.starts_with(moved.name.substr(0, number));
}

// A device that is not ours must never be taken for one: the name alone may be another's.
const Device* find_moved(const std::vector<Device>& devices, const MovedDevice& moved) {
  for (const Device& device : devices) {
    if (device.index == moved.index && device.hardware == moved.hardware) return &device;
  }
  const auto found = std::ranges::find_if(
      devices, [&moved](const Device& device) { return may_be(device, moved); });
  return found == devices.end() ? nullptr : &*found;
}

Result<> give_back(int inside, int host, int target, const MovedDevice& moved) {
  const std::vector<Device> devices = TRY(list_devices(inside));
  const Device* device = find_moved(devices, moved);
  if (device == nullptr) return {};  // never moved, come back already, or deleted
  TRY(move_device(inside, *device, target, moved.host_name));
  return restore(host, moved.host_name, moved.addresses, moved.was_up);
}

// The kernel sends the devices of hardware home when their network namespace ends, as they are.
Result<> welcome(int host, const MovedDevice& moved) {
  const std::vector<Device> devices = TRY(list_devices(host));
  const Device* device = find_moved(devices, moved);
  if (device == nullptr || device->name == moved.host_name) return {};
  if (!is_free(devices, moved.host_name)) return {};
  TRY(rename_device(host, *device, moved.host_name));
  return restore(host, moved.host_name, moved.addresses, moved.was_up);
}

}  // namespace

MovedDevices::MovedDevices(const std::vector<spec::NetDevice>& wanted) {
  for (const spec::NetDevice& device : wanted) {
    devices_.push_back({.host_name = device.host_name,
                        .name = device.name.empty() ? device.host_name : device.name});
  }
}

Result<> MovedDevices::validate() {
  const os::UniqueFd host = TRY(open_own_socket());
  for (MovedDevice& moved : devices_) {
    const Device device = TRY(find_device(host.get(), moved.host_name) | at(pointer_of(moved)));
    moved.index = device.index;
    moved.hardware = device.hardware;
    moved.was_up = device.is_up;
    moved.addresses = TRY(list_addresses(host.get(), device.index));
  }
  return {};
}

Result<> MovedDevices::attach(int network_namespace) {
  TRY(check_other(network_namespace) | at("/linux/netDevices"));
  const os::UniqueFd host = TRY(open_own_socket());
  const os::UniqueFd inside = TRY(open_route_socket_in(network_namespace));
  for (MovedDevice& moved : devices_) {
    const std::string pointer = pointer_of(moved);
    const Device device = TRY(find_device(host.get(), moved.host_name) | at(pointer));
    moved.name = TRY(choose_name(inside.get(), moved.name) | at(pointer));
    TRY(move_device(host.get(), device, network_namespace, moved.name) | at(pointer));
    TRY(restore(inside.get(), moved.name, moved.addresses, true) | at(pointer));
  }
  return {};
}

Result<> MovedDevices::release(int network_namespace) {
  const os::UniqueFd own = TRY(open_own_namespace());
  const os::UniqueFd host = TRY(open_own_socket());
  const os::UniqueFd inside =
      network_namespace < 0 ? os::UniqueFd() : TRY(open_route_socket_in(network_namespace));
  Result<> first;
  for (const MovedDevice& moved : devices_) {
    Result<> result;
    if (inside) result = give_back(inside.get(), host.get(), own.get(), moved);
    if (result) result = welcome(host.get(), moved);
    result = std::move(result) | context("give network device {} back", moved.host_name);
    if (first && !result) first = std::move(result);  // the others must come back all the same
  }
  return first;
}

}  // namespace berth::network
