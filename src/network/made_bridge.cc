// SPDX-License-Identifier: Apache-2.0
#include "network/made_bridge.h"

#include <errno.h>
#include <sys/random.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "network/address.h"
#include "network/link.h"

namespace berth::network {
namespace {

constexpr const char* kAlias = "berth: removed with its last container";
// Bridges of ours are known by their address: it is there from the first moment, an alias is not.
constexpr std::string_view kHardware =
    "\x02"
    "ber";
constexpr size_t kHardwareSize = 6;

bool is_made(const Device& device) {
  return device.kind == "bridge" && device.hardware.starts_with(kHardware);
}

Result<std::string> new_hardware() {
  std::string hardware(kHardware);
  hardware.resize(kHardwareSize);
  const size_t left = kHardwareSize - kHardware.size();
  if (::getrandom(hardware.data() + kHardware.size(), left, 0) != static_cast<ssize_t>(left))
    return system_error(errno, "getrandom");
  return hardware;
}

// Again for each user: the one who made it may have been killed before the next line.
Result<> complete(int socket, const Device& bridge, const plan::InterfacePlan& plan) {
  for (const plan::IpPrefix& address : plan.link_addresses)
    TRY(add_address(socket, bridge.index, address_of(address)) | context("bridge {}", bridge.name));
  return bring_up(socket, bridge.name, kAlias);
}

}  // namespace

Result<Device> find_or_make_link(int socket, const plan::InterfacePlan& plan) {
  Result<Device> found = find_device(socket, plan.link);
  if (!found && found.error().kind() != ErrorKind::NotFound) return found;
  if (!found && !plan.make_link) return found;
  if (!found) {
    TRY(make_bridge(socket, plan.link, TRY(new_hardware())));
    found = find_device(socket, plan.link);
  }
  const bool wants_bridge = plan.kind == Interface::Kind::Bridge;
  if (found && wants_bridge && found->kind != "bridge")
    return fail(ErrorKind::InvalidConfig, "network device {} is no bridge", plan.link);
  if (found && plan.make_link && is_made(*found)) TRY(complete(socket, *found, plan));
  return found;
}

Result<> remove_unused_bridge(int socket, const std::string& name) {
  const std::vector<Device> devices = TRY(list_devices(socket));
  const auto bridge = std::ranges::find(devices, name, &Device::name);
  if (bridge == devices.end() || !is_made(*bridge)) return {};
  const bool is_used = std::ranges::find(devices, bridge->index, &Device::bridge) != devices.end();
  return is_used ? Result<>() : remove_device(socket, bridge->index);
}

}  // namespace berth::network
