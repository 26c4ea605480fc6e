// SPDX-License-Identifier: Apache-2.0
#include "spec/interfaces.h"

#include "berth/try.h"
#include "core/context.h"
#include "spec/annotations.h"

namespace berth {

using json::field;
using json::Field;
using json::Name;

std::span<const Field> fields(const Route*) {
  static constexpr Field kFields[] = {
      field<&Route::to>("to", json::Presence::Required),
      field<&Route::via>("via"),
  };
  return kFields;
}

std::span<const Name> names(const PublishedPort::Protocol*) {
  static constexpr Name kNames[] = {
      {"tcp", static_cast<int>(PublishedPort::Protocol::Tcp)},
      {"udp", static_cast<int>(PublishedPort::Protocol::Udp)},
      {"sctp", static_cast<int>(PublishedPort::Protocol::Sctp)},
  };
  return kNames;
}

std::span<const Field> fields(const PublishedPort*) {
  static constexpr Field kFields[] = {
      field<&PublishedPort::protocol>("protocol"),
      field<&PublishedPort::host>("host"),
      field<&PublishedPort::host_port>("hostPort", json::Presence::Required),
      field<&PublishedPort::port>("port", json::Presence::Required),
  };
  return kFields;
}

std::span<const Name> names(const Interface::Kind*) {
  static constexpr Name kNames[] = {
      {"bridge", static_cast<int>(Interface::Kind::Bridge)},
      {"macvlan", static_cast<int>(Interface::Kind::Macvlan)},
      {"cni", static_cast<int>(Interface::Kind::Cni)},
  };
  return kNames;
}

std::span<const Field> fields(const Interface*) {
  static constexpr Field kFields[] = {
      field<&Interface::kind>("type", json::Presence::Required),
      field<&Interface::link>("link", json::Presence::Required),
      field<&Interface::make_link>("makeLink"),
      field<&Interface::name>("name"),
      field<&Interface::addresses>("addresses"),
      field<&Interface::subnets>("subnets"),
      field<&Interface::gateways>("gateways"),
      field<&Interface::routes>("routes"),
      field<&Interface::nat>("nat"),
      field<&Interface::ports>("ports"),
      field<&Interface::mtu>("mtu"),
      field<&Interface::mac>("mac"),
  };
  return kFields;
}

}  // namespace berth

namespace berth::spec {

namespace {

Result<std::vector<Interface>> read_at(std::string_view text, const json::Place& place,
                                       const std::vector<json::UnknownMember>& unknown) {
  const json::Document document = TRY(json::parse(text) | at(json::pointer_of(place)));
  std::vector<Interface> interfaces;
  TRY(json::read_value(document.root(), interfaces, place));
  if (unknown.empty()) return interfaces;
  Error error(ErrorKind::InvalidConfig, "an interface has no such member");
  error.set_pointer(unknown.front().pointer);
  return std::unexpected(std::move(error));
}

}  // namespace

Result<std::vector<Interface>> read_interfaces(std::string_view text) {
  std::vector<json::UnknownMember> unknown;
  return read_at(text, json::Place{.unknown = &unknown}, unknown);
}

Result<std::vector<Interface>> read_annotated_interfaces(std::string_view text) {
  std::vector<json::UnknownMember> unknown;
  const json::Place config{.unknown = &unknown};
  const json::Place annotations{.up = &config, .name = "annotations"};
  return read_at(text, json::Place{.up = &annotations, .name = kInterfaces}, unknown);
}

std::string write_interfaces(const std::vector<Interface>& interfaces) {
  json::Writer writer;
  json::write_value(writer, interfaces);
  return writer.take();
}

}  // namespace berth::spec
