// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "berth/error.h"
#include "berth/network.h"

// Network devices by name, through a route socket of the namespace that they are in.
namespace berth::network {

struct Address {
  uint8_t family = 0;
  uint8_t prefix = 0;
  uint32_t flags = 0;          // IFA_F_*
  std::string local = {};      // bytes, as on the wire
  std::string peer = {};       // the same, or the other end of a point-to-point link
  std::string broadcast = {};  // may be empty
  bool operator==(const Address&) const = default;
};

struct Device {
  int index = 0;
  std::string name = {};
  bool is_up = false;
  std::string hardware = {};  // its address, bytes; stays when the device is moved or renamed
  std::string kind = {};      // "veth", "bridge"; of a device of hardware empty
  std::string alias = {};
  int bridge = 0;  // index of the device that it is a port of
  uint32_t mtu = 0;
  InterfaceCounters counters = {};
  bool operator==(const Device&) const = default;
};

[[gnu::cold]] std::string hardware_text(const std::string& bytes);  // "02:42:0a:01:00:02"
[[gnu::cold]] std::string address_text(const Address& address);     // "10.1.0.2/24"

// NotFound when there is none.
[[gnu::cold]] Result<Device> find_device(int socket, const std::string& name);
[[gnu::cold]] Result<std::vector<Device>> list_devices(int socket);
// Those that somebody gave it (permanent) and that are valid everywhere (global scope).
[[gnu::cold]] Result<std::vector<Address>> list_addresses(int socket, int device);
[[gnu::cold]] Result<> add_address(int socket, int device, const Address& address);
// Into another network namespace, under another name, in one step. AlreadyExists: the name is
// taken there.
[[gnu::cold]] Result<> move_device(int socket, const Device& device, int target,
                                   const std::string& name);
[[gnu::cold]] Result<> set_up(int socket, int device);
// Sets it down: kernels before 6.2 rename no device that is up.
[[gnu::cold]] Result<> rename_device(int socket, const Device& device, const std::string& name);

}  // namespace berth::network
