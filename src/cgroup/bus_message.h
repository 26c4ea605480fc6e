// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "plan/bus_value.h"

// The message format of D-Bus (D-Bus Specification, "Message Protocol"), as far as systemd's
// manager needs it: little-endian, no descriptors.
namespace berth::cgroup {

enum class BusMessageType : uint8_t { Call = 1, Reply = 2, Error = 3, Signal = 4 };

struct BusCall {
  std::string destination = {};  // empty: the other end itself, where there is no bus in between
  std::string path = {};
  std::string interface = {};
  std::string member = {};
  std::vector<plan::BusValue> arguments = {};
};

struct BusMessage {
  BusMessageType type = BusMessageType::Signal;
  uint32_t serial = 0;
  uint32_t reply_to = 0;
  std::string path = {};
  std::string interface = {};
  std::string member = {};
  std::string error = {};  // "org.freedesktop.systemd1.NoSuchUnit"
  std::vector<plan::BusValue> arguments = {};
};

std::string write_call(const BusCall& call, uint32_t serial);

// "Maximum length of a message" of the specification.
inline constexpr size_t kBusMessageLimit = 128 << 20;
inline constexpr size_t kBusHeaderSize = 16;
// The length of the whole message, from its first kBusHeaderSize bytes.
Result<size_t> message_size(std::string_view header);
Result<BusMessage> read_message(std::string_view bytes);

// The length of the first complete type of a signature; 0: there is none.
size_t complete_type(std::string_view signature);

}  // namespace berth::cgroup
