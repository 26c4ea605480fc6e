// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace berth::plan {

// A value as D-Bus carries it. `type` is its signature (D-Bus Specification, "Type System"): of
// basic types one letter, of an array "a" and the type of its items, of a structure "(" its members
// ")". A variant ("v") has the value that it wraps as its only item.
struct BusValue {
  std::string type = {};
  uint64_t number = 0;    // y b n q i u x t, negative ones in two's complement
  double real = 0;        // d
  std::string text = {};  // s o g
  std::vector<BusValue> items = {};

  bool operator==(const BusValue&) const = default;
};

BusValue bus_boolean(bool value);
BusValue bus_number(char type, uint64_t value);
BusValue bus_string(std::string_view text);
BusValue bus_bytes(const std::vector<uint8_t>& bytes);
BusValue bus_variant(BusValue value);
BusValue bus_array(std::string_view item_type, std::vector<BusValue> items);
BusValue bus_struct(std::vector<BusValue> members);

// One property of a unit, as systemd's SetUnitProperties takes it (org.freedesktop.systemd1(5)).
struct UnitProperty {
  std::string name = {};
  BusValue value = {};

  bool operator==(const UnitProperty&) const = default;
};

}  // namespace berth::plan
