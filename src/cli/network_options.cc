// SPDX-License-Identifier: Apache-2.0
#include "cli/network_options.h"

#include <algorithm>
#include <limits>

#include "berth/try.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// "KEY=VALUE" of an interface.
struct Word {
  std::string_view key;
  std::string value;
  Interface& interface;
};

Result<> set_mtu(const Word& word) {
  const uint64_t number = TRY(parse_unsigned(word.value) | context("mtu"));
  if (number > std::numeric_limits<uint32_t>::max())
    return fail(ErrorKind::InvalidUse, "mtu: {} is too large", number);
  word.interface.mtu = static_cast<uint32_t>(number);
  return {};
}

Result<> add_route(const Word& word) {
  const size_t at = word.value.find('@');
  word.interface.routes.push_back({.to = word.value.substr(0, at),
                                   .via = at == word.value.npos ? "" : word.value.substr(at + 1)});
  return {};
}

Result<uint16_t> parse_port(std::string_view text) {
  const uint64_t number = TRY(parse_unsigned(text));
  if (number >= 1 && number <= std::numeric_limits<uint16_t>::max())
    return static_cast<uint16_t>(number);
  return fail(ErrorKind::InvalidUse, "{} is no port", number);
}

Result<PublishedPort::Protocol> parse_protocol(std::string_view text) {
  if (text.empty() || text == "tcp") return PublishedPort::Protocol::Tcp;
  if (text == "udp") return PublishedPort::Protocol::Udp;
  if (text == "sctp") return PublishedPort::Protocol::Sctp;
  return fail(ErrorKind::InvalidUse, "\"{}\" is none of tcp, udp and sctp", text);
}

// "[ADDRESS:]PORT:PORT[/PROTOCOL]"; an address of IPv6 in brackets.
Result<PublishedPort> parse_published(std::string_view text) {
  PublishedPort port;
  const size_t slash = text.find('/');
  if (slash != text.npos) port.protocol = TRY(parse_protocol(text.substr(slash + 1)));
  text = text.substr(0, slash);
  const size_t last = text.rfind(':');
  if (last == text.npos)
    return fail(ErrorKind::InvalidUse, "\"{}\" is not [ADDRESS:]HOSTPORT:PORT[/PROTOCOL]", text);
  port.port = TRY(parse_port(text.substr(last + 1)));
  text = text.substr(0, last);
  const size_t before = text.rfind(':');
  port.host_port = TRY(parse_port(before == text.npos ? text : text.substr(before + 1)));
  if (before == text.npos) return port;
  text = text.substr(0, before);
  if (text.starts_with('[') && text.ends_with(']')) text = text.substr(1, text.size() - 2);
  port.host = text;
  return port;
}

struct Key {
  std::string_view name;
  bool has_value;
  Result<> (*set)(const Word& word);
};

constexpr Key kKeys[] = {
    {"name", true,
     [](const Word& word) -> Result<> {
       word.interface.name = word.value;
       return {};
     }},
    {"ip", true,
     [](const Word& word) -> Result<> {
       word.interface.addresses.push_back(word.value);
       return {};
     }},
    {"subnet", true,
     [](const Word& word) -> Result<> {
       word.interface.subnets.push_back(word.value);
       return {};
     }},
    {"gateway", true,
     [](const Word& word) -> Result<> {
       word.interface.gateways.push_back(word.value);
       return {};
     }},
    {"route", true, add_route},
    {"mtu", true, set_mtu},
    {"mac", true,
     [](const Word& word) -> Result<> {
       word.interface.mac = word.value;
       return {};
     }},
    {"publish", true,
     [](const Word& word) -> Result<> {
       word.interface.ports.push_back(TRY(parse_published(word.value) | context("publish")));
       return {};
     }},
    {"nat", false,
     [](const Word& word) -> Result<> {
       word.interface.nat = true;
       return {};
     }},
    {"make", false,
     [](const Word& word) -> Result<> {
       word.interface.make_link = true;
       return {};
     }},
};

std::unexpected<Error> refuse_key(std::string_view key) {
  std::string known;
  for (const Key& each : kKeys) known += formatted("{}{}", known.empty() ? "" : ", ", each.name);
  return fail(ErrorKind::InvalidUse, "an interface has no \"{}\", but {}", key, known);
}

Result<> set_word(std::string_view text, Interface& interface) {
  const size_t equals = text.find('=');
  const Word word{.key = text.substr(0, equals),
                  .value = std::string(equals == text.npos ? "" : text.substr(equals + 1)),
                  .interface = interface};
  const auto* key = std::ranges::find(kKeys, word.key, &Key::name);
  if (key == std::end(kKeys)) return refuse_key(word.key);
  if (key->has_value != (equals != text.npos) || (key->has_value && word.value.empty()))
    return fail(
        ErrorKind::InvalidUse, "{} {}", word.key,
        key->has_value ? "needs a value: " + std::string(word.key) + "=..." : "has no value");
  return key->set(word);
}

struct KindName {
  std::string_view prefix;
  Interface::Kind kind;
};

constexpr KindName kKinds[] = {{"bridge=", Interface::Kind::Bridge},
                               {"macvlan=", Interface::Kind::Macvlan},
                               {"cni=", Interface::Kind::Cni}};

const KindName* kind_of(std::string_view text) {
  const auto* found = std::ranges::find_if(
      kKinds, [text](const KindName& each) { return text.starts_with(each.prefix); });
  return found == std::end(kKinds) ? nullptr : found;
}

// `none`, `host` or a path.
Result<> choose_namespace(std::string_view text, BoxNetwork& network) {
  if (network.kind != BoxNetwork::Kind::Own || !network.path.empty())
    return fail(ErrorKind::InvalidUse, "option --net: a box has one network namespace");
  if (text.empty() || text == "none") return {};
  if (text == "host") {
    network.kind = BoxNetwork::Kind::Host;
    return {};
  }
  if (!text.starts_with('/'))
    return fail(ErrorKind::InvalidUse,
                "option --net: \"{}\" is none of none, host, an absolute path, bridge=..., "
                "macvlan=..., cni=... and device=...",
                text);
  network.kind = BoxNetwork::Kind::Joined;
  network.path = text;
  return {};
}

}  // namespace

Result<Interface> parse_interface(std::string_view text) {
  const KindName* const kind = kind_of(text);
  if (kind == nullptr)
    return fail(ErrorKind::InvalidUse,
                "\"{}\" is no interface: bridge=NAME[,KEY=VALUE...], macvlan=PARENT[,...] or "
                "cni=NETWORK[,...]",
                text);
  Interface interface;
  interface.kind = kind->kind;
  text.remove_prefix(text.find('=') + 1);
  interface.link = text.substr(0, text.find(','));
  text.remove_prefix(std::min(interface.link.size() + 1, text.size()));
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(','));
    TRY(set_word(word, interface));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
  }
  return interface;
}

namespace {

// "device=eth1[,name=net0]"
Result<BoxNetDevice> parse_device(std::string_view text) {
  const std::vector<std::string> parts = split(text.substr(text.find('=') + 1), ',');
  BoxNetDevice device;
  for (const std::string& part : parts) {
    if (device.host_name.empty() && !part.empty())
      device.host_name = part;
    else if (part.starts_with("name=") && part.size() > 5)
      device.name = part.substr(5);
    else
      return fail(ErrorKind::InvalidUse, "\"{}\" is not device=NAME[,name=NAME]", text);
  }
  if (!device.host_name.empty()) return device;
  return fail(ErrorKind::InvalidUse, "\"{}\" is not device=NAME[,name=NAME]", text);
}

}  // namespace

Result<BoxNetwork> read_network(const Arguments& arguments) {
  BoxNetwork network;
  for (const std::string& text : arguments.texts("net")) {
    if (kind_of(text) != nullptr)
      network.interfaces.push_back(TRY(parse_interface(text) | context("option --net")));
    else if (text.starts_with("device="))
      network.devices.push_back(TRY(parse_device(text) | context("option --net")));
    else
      TRY(choose_namespace(text, network));
  }
  return network;
}

}  // namespace berth::cli
