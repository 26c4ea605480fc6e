// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "berth/error.h"

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
  bool operator==(const Device&) const = default;
};

// NotFound when there is none.
Result<Device> find_device(int socket, const std::string& name);
Result<std::vector<Device>> list_devices(int socket);
// Those that somebody gave it (permanent) and that are valid everywhere (global scope).
Result<std::vector<Address>> list_addresses(int socket, int device);
Result<> add_address(int socket, int device, const Address& address);
// Into another network namespace, under another name, in one step. AlreadyExists: the name is
// taken there.
Result<> move_device(int socket, const Device& device, int target, const std::string& name);
Result<> set_up(int socket, int device);
// Sets it down: kernels before 6.2 rename no device that is up.
Result<> rename_device(int socket, const Device& device, const std::string& name);

}  // namespace berth::network
