// SPDX-License-Identifier: Apache-2.0
#include <charconv>
#include <limits>

#include "berth/try.h"
#include "engine/record_parts.h"
#include "spec/interfaces.h"

namespace berth::engine {
namespace {

using Kind = json::Value::Kind;

std::string to_hex(const std::string& bytes) {
  std::string text;
  for (const char c : bytes) text += formatted("{:02x}", static_cast<unsigned char>(c));
  return text;
}

void write_devices(json::Writer& writer, const std::vector<network::MovedDevice>& devices) {
  writer.key("netDevices").begin_array();
  for (const network::MovedDevice& device : devices) {
    writer.begin_object().member("hostName", device.host_name).member("name", device.name);
    writer.member("index", device.index).member("hardware", to_hex(device.hardware));
    writer.member("up", device.was_up);
    writer.key("addresses").begin_array();
    for (const network::Address& address : device.addresses) {
      writer.begin_object().member("family", static_cast<unsigned>(address.family));
      writer.member("prefix", static_cast<unsigned>(address.prefix)).member("flags", address.flags);
      writer.member("local", to_hex(address.local)).member("peer", to_hex(address.peer));
      writer.member("broadcast", to_hex(address.broadcast)).end();
    }
    writer.end().end();
  }
  writer.end();
}

void write_interfaces(json::Writer& writer, const std::vector<network::MadeInterface>& interfaces) {
  writer.key("interfaces").begin_array();
  for (const network::MadeInterface& each : interfaces) {
    writer.begin_object().member("name", each.name).member("hostName", each.host_name);
    writer.member("link", each.link);
    writer.member("type", json::name_of(static_cast<int>(each.kind), names(&each.kind))).end();
  }
  writer.end();
}

Result<std::string> from_hex(const std::string& text) {
  std::string bytes;
  for (size_t i = 0; i + 1 < text.size(); i += 2) {
    unsigned byte = 0;
    const char* end = text.data() + i + 2;
    const auto [stop, error] = std::from_chars(text.data() + i, end, byte, 16);
    if (stop != end || error != std::errc()) break;
    bytes += static_cast<char>(byte);
  }
  if (bytes.size() * 2 == text.size()) return bytes;
  return fail(ErrorKind::InvalidUse, "state.json: {} is no address", text);
}

Result<network::Address> read_address(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: an address is no object");
  const RecordReader reader(value);
  network::Address address;
  address.family = static_cast<uint8_t>(TRY(reader.number("family", UINT8_MAX)));
  address.prefix = static_cast<uint8_t>(TRY(reader.number("prefix", UINT8_MAX)));
  address.flags = static_cast<uint32_t>(TRY(reader.number("flags", UINT32_MAX)));
  address.local = TRY(from_hex(TRY(reader.string("local"))));
  address.peer = TRY(from_hex(TRY(reader.string("peer"))));
  address.broadcast = TRY(from_hex(TRY(reader.string("broadcast"))));
  return address;
}

Result<network::MovedDevice> read_device(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: a network device is no object");
  const RecordReader reader(value);
  network::MovedDevice device;
  device.host_name = TRY(reader.string("hostName"));
  device.name = TRY(reader.string("name"));
  device.index = static_cast<int>(TRY(reader.number("index", std::numeric_limits<int>::max())));
  device.hardware = TRY(from_hex(TRY(reader.string("hardware"))));
  device.was_up = TRY(reader.boolean("up"));
  for (const json::Value& address : TRY(reader.child("addresses", Kind::Array))->array())
    device.addresses.push_back(TRY(read_address(address)));
  return device;
}

Result<network::MadeInterface> read_interface(const json::Value& value) {
  if (value.kind != Kind::Object)
    return fail(ErrorKind::InvalidUse, "state.json: a network interface is no object");
  const RecordReader reader(value);
  network::MadeInterface made;
  made.name = TRY(reader.string("name"));
  made.host_name = TRY(reader.string("hostName"));
  made.link = TRY(reader.string("link"));
  const json::Value& type = *TRY(reader.child("type", Kind::String));
  made.kind = static_cast<Interface::Kind>(
      TRY(json::read_name(type, names(&made.kind), {}) | context("state.json: type")));
  return made;
}

}  // namespace

void write_network(json::Writer& writer, const Record& record) {
  if (!record.net_devices.empty()) write_devices(writer, record.net_devices);
  if (!record.interfaces.empty()) write_interfaces(writer, record.interfaces);
  if (!record.net_devices.empty() || !record.interfaces.empty())
    writer.member("networkPath", record.network_path);
}

Result<> read_network(const json::Value& root, Record& record) {
  const bool has_devices = root.find("netDevices") != nullptr;
  const bool has_interfaces = root.find("interfaces") != nullptr;
  const RecordReader reader(root);
  if (has_devices) {
    for (const json::Value& device : TRY(reader.child("netDevices", Kind::Array))->array())
      record.net_devices.push_back(TRY(read_device(device)));
  }
  if (has_interfaces) {
    for (const json::Value& each : TRY(reader.child("interfaces", Kind::Array))->array())
      record.interfaces.push_back(TRY(read_interface(each)));
  }
  if (has_devices || has_interfaces) record.network_path = TRY(reader.string("networkPath"));
  return {};
}

}  // namespace berth::engine
