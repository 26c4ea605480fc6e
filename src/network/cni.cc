// SPDX-License-Identifier: Apache-2.0
#include "network/cni.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <ranges>
#include <utility>

#include "berth/try.h"
#include "core/context.h"
#include "json/value.h"
#include "json/write.h"
#include "network/cni_network.h"
#include "network/device.h"
#include "os/file.h"
#include "os/program.h"

namespace berth::network {
namespace {

using Kind = json::Value::Kind;

constexpr size_t kMaxKept = 16UL << 20;
constexpr mode_t kKeptMode = 0600;

// What an interface can be asked for beyond its name, by the names of CNI's conventions.
constexpr std::string_view kPorts = "portMappings";
constexpr std::string_view kAddresses = "ips";
constexpr std::string_view kHardware = "mac";

std::string id_of(const CniInterface& interface) {
  return interface.state.substr(interface.state.rfind('/') + 1);
}

// Section 2: "alphanumeric, then any of these". berth's ids may also have a plus.
Result<> check_id(const std::string& id) {
  const bool plain = std::ranges::all_of(
      id, [](unsigned char c) { return ::isalnum(c) != 0 || c == '_' || c == '.' || c == '-'; });
  if (plain && ::isalnum(static_cast<unsigned char>(id.front())) != 0) return {};
  return fail(ErrorKind::InvalidUse, "CNI cannot have a container of the name {}", id);
}

Result<> check_capability(const CniNetwork& network, std::string_view capability, bool is_asked) {
  if (!is_asked || network.can(capability)) return {};
  return fail(ErrorKind::InvalidConfig, "no plugin of CNI network {} has the capability \"{}\"",
              network.name, capability);
}

void write_ports(json::Writer& out, const std::vector<plan::PortPlan>& ports) {
  out.key(kPorts).begin_array();
  for (const plan::PortPlan& port : ports) {
    out.begin_object().member("hostPort", port.host_port).member("containerPort", port.port);
    out.member("protocol", plan::to_string(port.protocol));
    if (!port.host.bytes.empty()) out.member("hostIP", to_string(port.host));
    out.end();
  }
  out.end();
}

// For all plugins; each gets what it has the capability for.
std::string runtime_config(const plan::InterfacePlan& plan) {
  json::Writer out;
  out.begin_object();
  if (!plan.ports.empty()) write_ports(out, plan.ports);
  if (!plan.addresses.empty()) {
    out.key(kAddresses).begin_array();
    for (const plan::IpPrefix& address : plan.addresses) out.string(to_string(address));
    out.end();
  }
  if (!plan.hardware.empty()) out.member(kHardware, hardware_text(plan.hardware));
  return out.end().take();
}

// The file in the container's directory, read.
struct Kept {
  std::string text;
  json::Document document;
  CniNetwork network = {};
  const json::Value* runtime = nullptr;  // an object
  std::string result = {};               // JSON; empty: ADD has not come to its end
};

std::string file_of(const CniInterface& interface) {
  return formatted("{}/cni-{}.json", interface.state, interface.name);
}

Result<> keep(const CniInterface& interface, std::string_view network, std::string_view runtime,
              std::string_view result) {
  std::string text = formatted(R"({{"network":{},"runtimeConfig":{})", network, runtime);
  if (!result.empty()) text += formatted(R"(,"result":{})", result);
  return os::replace_file_at(AT_FDCWD, file_of(interface).c_str(), text + "}\n", kKeptMode);
}

Result<Kept> read_kept(std::string text) {
  // Where it is stays the same when the text is moved: it is never short.
  json::Document document = TRY(json::parse(text));
  Kept kept{.text = std::move(text), .document = std::move(document)};
  const json::Value& root = kept.document.root();
  const json::Value* const network = root.find("network");
  kept.runtime = root.find("runtimeConfig");
  if (network == nullptr || kept.runtime == nullptr)
    return fail(ErrorKind::InvalidConfig, "/network or /runtimeConfig is missing");
  kept.network = TRY(read_cni_network(*network));
  if (const json::Value* const result = root.find("result")) {
    json::Writer out;
    kept.result = out.value(*result).take();
  }
  return kept;
}

Result<Kept> open_kept(const CniInterface& interface) {
  const std::string path = file_of(interface);
  std::string text = TRY(os::read_file_at(AT_FDCWD, path.c_str(), kMaxKept));
  return read_kept(std::move(text)) | context("{}", path);
}

void write_runtime(json::Writer& out, const json::Value& plugin, const json::Value& runtime) {
  out.key("runtimeConfig").begin_object();
  for (const json::Member& member : runtime.object()) {
    if (can(plugin, member.name)) out.key(member.name).value(member.value);
  }
  out.end();
}

// Section 4: what one plugin reads.
std::string config_for(const Kept& kept, const json::Value& plugin, std::string_view previous) {
  constexpr std::string_view kReplaced[] = {"cniVersion", "name", "capabilities", "runtimeConfig",
                                            "prevResult"};
  json::Writer out;
  out.begin_object();
  if (!kept.network.version.empty()) out.member("cniVersion", kept.network.version);
  out.member("name", kept.network.name);
  for (const json::Member& member : plugin.object()) {
    if (std::ranges::find(kReplaced, member.name) == std::end(kReplaced))
      out.key(member.name).value(member.value);
  }
  write_runtime(out, plugin, *kept.runtime);
  if (!previous.empty()) out.key("prevResult").raw(previous);
  return out.end().take();
}

// Section 2, of this process as well: plugins look for iptables by $PATH.
std::vector<std::string> environment_for(std::string_view command, const CniInterface& interface) {
  std::vector<std::string> all;
  for (char** each = environ; *each != nullptr; ++each) {
    if (!std::string_view(*each).starts_with("CNI_")) all.emplace_back(*each);
  }
  all.push_back(formatted("CNI_COMMAND={}", command));
  all.push_back("CNI_CONTAINERID=" + id_of(interface));
  all.push_back("CNI_IFNAME=" + interface.name);
  all.push_back("CNI_PATH=" + cni_path());
  // By our descriptor: no pid that may become another's, and as good for the daemon of dhcp.
  all.push_back(interface.network_namespace < 0 ? std::string("CNI_NETNS=")
                                                : formatted("CNI_NETNS=/proc/{}/fd/{}", ::getpid(),
                                                            interface.network_namespace));
  return all;
}

// Section 5: an error is an object on the standard output. A plugin that has crashed has none.
std::string complaint_of(const os::ProgramEnd& end) {
  const Result<json::Document> answer = json::parse(end.output);
  std::string text;
  for (const std::string_view name : {"msg", "details"}) {
    const json::Value* const part = answer ? answer->root().find(name) : nullptr;
    if (part == nullptr || part->kind != Kind::String || part->string().empty()) continue;
    text += (text.empty() ? "" : ": ") + std::string(part->string());
  }
  if (text.empty()) text = end.errors;
  if (!text.empty()) return text;
  return end.status.signal != 0 ? formatted("ended by signal {}", end.status.signal)
                                : formatted("exit status {}", end.status.code);
}

// The text that the plugin answers with.
Result<std::string> run_plugin(std::string_view command, const CniInterface& interface,
                               const Kept& kept, const json::Value& plugin,
                               std::string_view previous) {
  const std::string config = config_for(kept, plugin, previous);
  const std::vector<std::string> environment = environment_for(command, interface);
  os::ProgramEnd end = TRY(os::run_program({.words = {TRY(find_cni_plugin(type_of(plugin)))},
                                            .input = config,
                                            .environment = &environment}));
  if (end.status.code == 0 && end.status.signal == 0) return std::move(end.output);
  return fail(ErrorKind::System, "CNI plugin {} ({}): {}", type_of(plugin), command,
              complaint_of(end));
}

Result<std::string> run_add(const CniInterface& interface, const Kept& kept,
                            const json::Value& plugin, std::string_view previous) {
  std::string answer = TRY(run_plugin("ADD", interface, kept, plugin, previous));
  const Result<json::Document> result = json::parse(answer);
  if (result && result->root().kind == Kind::Object) return answer;
  return fail(ErrorKind::System, "CNI plugin {} (ADD) has answered no JSON object",
              type_of(plugin));
}

}  // namespace

Result<> check_cni(const CniInterface& interface, const plan::InterfacePlan& plan) {
  TRY(check_id(id_of(interface)));
  const CniFile file = TRY(find_cni_network(plan.link));
  const json::Document document = TRY(json::parse(file.text));
  const CniNetwork network = TRY(read_cni_network(document.root()));
  for (const json::Value& plugin : network.plugins)
    TRY(find_cni_plugin(type_of(plugin)) | context("{}", file.path));
  TRY(check_capability(network, kPorts, !plan.ports.empty()) | at(plan.pointer + "/ports"));
  TRY(check_capability(network, kAddresses, !plan.addresses.empty()) |
      at(plan.pointer + "/addresses"));
  return check_capability(network, kHardware, !plan.hardware.empty()) | at(plan.pointer + "/mac");
}

Result<> add_cni(const CniInterface& interface, const plan::InterfacePlan& plan) {
  const std::string network = TRY(find_cni_network(plan.link)).text;
  const std::string runtime = runtime_config(plan);
  TRY(keep(interface, network, runtime, {}));
  const Kept kept = TRY(open_kept(interface));
  std::string result;
  for (const json::Value& plugin : kept.network.plugins)
    result = TRY(run_add(interface, kept, plugin, result));
  return keep(interface, network, runtime, result);
}

Result<> remove_cni(const CniInterface& interface) {
  Result<Kept> kept = open_kept(interface);
  if (!kept && kept.error().os_error() == ENOENT) return {};
  if (!kept) return std::unexpected(std::move(kept).error());
  Result<> first;
  for (const json::Value& plugin : std::views::reverse(kept->network.plugins)) {
    Result<std::string> done = run_plugin("DEL", interface, *kept, plugin, kept->result);
    if (first && !done) first = std::unexpected(std::move(done).error());
  }
  if (first && ::unlink(file_of(interface).c_str()) < 0 && errno != ENOENT)
    return system_error(errno, "remove {}", file_of(interface));
  return first;
}

std::string cni_result(const CniInterface& interface) {
  Result<Kept> kept = open_kept(interface);
  return kept ? std::move(kept->result) : std::string();
}

}  // namespace berth::network
