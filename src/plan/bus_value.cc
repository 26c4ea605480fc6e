// SPDX-License-Identifier: Apache-2.0
#include "plan/bus_value.h"

namespace berth::plan {

BusValue bus_boolean(bool value) { return {.type = "b", .number = value}; }

BusValue bus_number(char type, uint64_t value) {
  return {.type = std::string(1, type), .number = value};
}

BusValue bus_string(std::string_view text) { return {.type = "s", .text = std::string(text)}; }

BusValue bus_bytes(const std::vector<uint8_t>& bytes) {
  BusValue array = {.type = "ay"};
  for (const uint8_t each : bytes) array.items.push_back(bus_number('y', each));
  return array;
}

BusValue bus_variant(BusValue value) {
  BusValue variant = {.type = "v"};
  variant.items.push_back(std::move(value));
  return variant;
}

BusValue bus_array(std::string_view item_type, std::vector<BusValue> items) {
  return {.type = "a" + std::string(item_type), .items = std::move(items)};
}

BusValue bus_struct(std::vector<BusValue> members) {
  std::string type = "(";
  for (const BusValue& member : members) type += member.type;
  return {.type = type + ")", .items = std::move(members)};
}

}  // namespace berth::plan
