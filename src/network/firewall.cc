// SPDX-License-Identifier: Apache-2.0
#include "network/firewall.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <iterator>

#include "berth/try.h"
#include "core/context.h"
#include "json/value.h"
#include "json/write.h"
#include "os/file.h"
#include "os/program.h"

// What is written is libnftables-json(5).
namespace berth::network {
namespace {

constexpr const char* kTable = R"("family":"inet","table":"berth")";

plan::IpPrefix loopback() {
  return {.address = {.family = AF_INET, .bytes = std::string("\x7f\0\0\0", 4)}, .length = 8};
}

// A base chain of each interface: what the kernel runs it for.
struct Chain {
  const char* name;
  const char* type;
  const char* hook;
  int priority;
};
constexpr Chain kGuard = {"guard", "filter", "prerouting", -300};
constexpr Chain kArriving = {"arriving", "nat", "prerouting", -100};
constexpr Chain kOwn = {"own", "nat", "output", -100};
constexpr Chain kLeaving = {"leaving", "nat", "postrouting", 100};

std::string chain_name(const Chain& chain, const std::string& host_name) {
  return host_name + "-" + chain.name;
}

// Conditions and what is done, one after the other.
class Rule {
 public:
  Rule& when(std::string_view left, std::string_view right, std::string_view op = "==") {
    return then(formatted(R"({{"match":{{"op":"{}","left":{},"right":{}}}}})", op, left, right));
  }
  Rule& when_device(std::string_view key, const std::string& name, std::string_view op = "==") {
    return when(formatted(R"({{"meta":{{"key":"{}"}}}})", key), json::quoted(name), op);
  }
  Rule& when_address(std::string_view field, const plan::IpPrefix& prefix) {
    const plan::IpAddress& address = prefix.address;
    const std::string text = json::quoted(to_string(address));
    const bool whole = prefix.length == address.bytes.size() * 8;
    return when(payload(address.family == AF_INET ? "ip" : "ip6", field),
                whole ? text
                      : formatted(R"({{"prefix":{{"addr":{},"len":{}}}}})", text,
                                  static_cast<unsigned>(prefix.length)));
  }
  Rule& when_port(std::string_view protocol, uint16_t port) {
    return when(payload(protocol, "dport"), formatted("{}", port));
  }
  Rule& then(std::string statement) {
    parts_ += (parts_.empty() ? "" : ",") + std::move(statement);
    return *this;
  }
  const std::string& parts() const { return parts_; }

 private:
  static std::string payload(std::string_view protocol, std::string_view field) {
    return formatted(R"({{"payload":{{"protocol":"{}","field":"{}"}}}})", protocol, field);
  }
  std::string parts_;
};

constexpr const char* kMasquerade = R"({"masquerade":null})";

// One transaction.
class Batch {
 public:
  explicit Batch(std::string host_name) : host_name_(std::move(host_name)) {
    add(R"({"add":{"table":{"family":"inet","name":"berth"}}})");
  }
  void add_chain(const Chain& chain) {
    add(formatted(R"({{"add":{{"chain":{{{},"name":{},"type":"{}","hook":"{}","prio":{},)"
                  R"("policy":"accept"}}}}}})",
                  kTable, name_of(chain), chain.type, chain.hook, chain.priority));
  }
  void add_rule(const Chain& chain, const Rule& rule) {
    add(formatted(R"({{"add":{{"rule":{{{},"chain":{},"expr":[{}]}}}}}})", kTable, name_of(chain),
                  rule.parts()));
  }
  void remove_chain(const std::string& name) {
    for (const char* verb : {"flush", "delete"})
      add(formatted(R"({{"{}":{{"chain":{{{},"name":{}}}}}}})", verb, kTable, json::quoted(name)));
  }
  std::string text() const { return formatted(R"({{"nftables":[{}]}})", commands_); }

 private:
  std::string name_of(const Chain& chain) const {
    return json::quoted(chain_name(chain, host_name_));
  }
  void add(std::string_view command) {
    if (!commands_.empty()) commands_ += ",";
    commands_ += command;
  }
  std::string host_name_;
  std::string commands_;
};

Result<std::string> run_nft(std::vector<std::string> words, std::string_view input) {
  words.insert(words.begin(), {"nft", "-j"});
  Result<os::ProgramEnd> end = os::run_program({.words = words, .input = input});
  if (!end && end.error().kind() == ErrorKind::Unsupported)
    end.error().add_context("addresses are translated by nft (package nftables)");
  const os::ProgramEnd done = TRY(std::move(end));
  if (done.status.code == 0 && done.status.signal == 0) return done.output;
  return fail(ErrorKind::System, "nft refused the rules: {}", done.errors);
}

const plan::IpPrefix* first_of(const Translation& translation, uint8_t family) {
  const auto found = std::ranges::find_if(
      translation.addresses,
      [family](const plan::IpPrefix& each) { return each.address.family == family; });
  return found == translation.addresses.end() ? nullptr : &*found;
}

plan::IpPrefix alone(const plan::IpAddress& address) {
  return {.address = address, .length = static_cast<uint8_t>(address.bytes.size() * 8)};
}

Rule port_rule(const plan::PortPlan& port, const plan::IpAddress& to) {
  const bool is_v4 = to.family == AF_INET;
  Rule rule;
  rule.when(R"({"meta":{"key":"nfproto"}})", is_v4 ? R"("ipv4")" : R"("ipv6")");
  if (port.host.bytes.empty())
    rule.when(R"({"fib":{"result":"type","flags":["daddr"]}})", R"("local")");
  else
    rule.when_address("daddr", alone(port.host));
  rule.when_port(plan::to_string(port.protocol), port.host_port);
  rule.then(formatted(R"({{"dnat":{{"family":"{}","addr":"{}","port":{}}}}})", is_v4 ? "ip" : "ip6",
                      to_string(to), port.port));
  return rule;
}

// To the container come also packets of its own network that went to the host's port: the answers
// must go the same way back.
void add_return(Batch& batch, const Translation& translation, const plan::IpPrefix& address) {
  std::vector<plan::IpPrefix> sources = {address};
  if (address.address.family == AF_INET) sources.push_back(loopback());
  for (plan::IpPrefix& source : sources) {
    source.address = address_in(source, 0);
    Rule rule;
    rule.when_device("oifname", translation.link).when_address("saddr", source);
    rule.when_address("daddr", alone(address.address));
    rule.when(R"({"ct":{"key":"status"}})", R"("dnat")", "in").then(kMasquerade);
    batch.add_rule(kLeaving, rule);
  }
}

void add_ports(Batch& batch, const Translation& translation) {
  for (const Chain& chain : {kArriving, kOwn}) batch.add_chain(chain);
  for (const uint8_t family : {uint8_t{AF_INET}, uint8_t{AF_INET6}}) {
    const plan::IpPrefix* address = first_of(translation, family);
    if (address == nullptr) continue;
    for (const plan::PortPlan& port : translation.ports) {
      if (!port.host.bytes.empty() && port.host.family != family) continue;
      for (const Chain& chain : {kArriving, kOwn})
        batch.add_rule(chain, port_rule(port, address->address));
    }
    add_return(batch, translation, *address);
  }
}

// The link hands packets to 127.0.0.0/8 on now: those of its containers must not reach the host's.
void add_guard(Batch& batch, const std::string& link) {
  batch.add_chain(kGuard);
  Rule rule;
  rule.when_device("iifname", link).when_address("daddr", loopback()).then(R"({"drop":null})");
  batch.add_rule(kGuard, rule);
}

// Of our table; none when there is no such table.
Result<std::vector<std::string>> list_chains() {
  Result<std::string> text = run_nft({"list", "table", "inet", "berth"}, {});
  if (!text && text.error().message().contains("No such file or directory"))
    return std::vector<std::string>();
  const std::string whole = TRY(std::move(text));
  const json::Document document = TRY(json::parse(whole));
  const json::Value* list = document.root().find("nftables");
  if (list == nullptr || list->kind != json::Value::Kind::Array)
    return fail(ErrorKind::System, "nft lists no rules");
  std::vector<std::string> names;
  for (const json::Value& each : list->array()) {
    const json::Value* chain =
        each.kind == json::Value::Kind::Object ? each.find("chain") : nullptr;
    const json::Value* name = chain == nullptr || chain->kind != json::Value::Kind::Object
                                  ? nullptr
                                  : chain->find("name");
    if (name != nullptr && name->kind == json::Value::Kind::String)
      names.emplace_back(name->string());
  }
  return names;
}

std::string loopback_knob(const std::string& device) {
  return formatted("/proc/sys/net/ipv4/conf/{}/route_localnet", device);
}

}  // namespace

bool Translation::serves_loopback() const {
  const bool anywhere = std::ranges::any_of(ports, [](const plan::PortPlan& port) {
    return port.host.bytes.empty() || contains(loopback(), port.host);
  });
  return anywhere && first_of(*this, AF_INET) != nullptr;
}

Result<> add_rules(const Translation& translation) {
  Batch batch(translation.host_name);
  batch.add_chain(kLeaving);
  if (translation.nat) {
    for (const plan::IpPrefix& address : translation.addresses) {
      Rule rule;
      rule.when_address("saddr", alone(address.address));
      rule.when_device("oifname", translation.link, "!=").then(kMasquerade);
      batch.add_rule(kLeaving, rule);
    }
  }
  if (!translation.ports.empty()) add_ports(batch, translation);
  if (translation.serves_loopback()) add_guard(batch, translation.link);
  TRY(run_nft({"-f", "-"}, batch.text()));
  return {};
}

Result<> remove_rules(const std::string& host_name) {
  const std::vector<std::string> chains = TRY(list_chains());
  const auto is_ours = [&](const std::string& name) { return name.starts_with(host_name + "-"); };
  Batch batch(host_name);
  for (const std::string& name : chains) {
    if (is_ours(name)) batch.remove_chain(name);
  }
  if (!chains.empty() && std::ranges::all_of(chains, is_ours)) {
    TRY(run_nft({"delete", "table", "inet", "berth"}, {}));
  } else if (std::ranges::any_of(chains, is_ours)) {
    TRY(run_nft({"-f", "-"}, batch.text()));
  }
  return {};
}

Result<> forward(int family) {
  const char* const knob = family == AF_INET ? "/proc/sys/net/ipv4/ip_forward"
                                             : "/proc/sys/net/ipv6/conf/all/forwarding";
  if (TRY(os::read_kernel_file(knob)).starts_with('1')) return {};
  return os::write_file_at(AT_FDCWD, knob, "1");
}

Result<bool> routes_loopback(const std::string& device) {
  return TRY(os::read_kernel_file(loopback_knob(device).c_str())).starts_with('1');
}

Result<> route_loopback(const std::string& device, bool on) {
  Result<> done = os::write_file_at(AT_FDCWD, loopback_knob(device).c_str(), on ? "1" : "0");
  const bool gone = !done && done.error().os_error() == ENOENT;
  return gone && !on ? Result<>() : std::move(done);
}

}  // namespace berth::network
