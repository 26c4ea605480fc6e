// SPDX-License-Identifier: Apache-2.0
#include "core/format.h"
#include "plan/dump_parts.h"
#include "plan/namespace_flags.h"

namespace berth::plan {
namespace {

const char* name_of(spec::NamespaceType type) {
  switch (type) {
    case spec::NamespaceType::Pid: return "pid";
    case spec::NamespaceType::Network: return "network";
    case spec::NamespaceType::Mount: return "mount";
    case spec::NamespaceType::Ipc: return "ipc";
    case spec::NamespaceType::Uts: return "uts";
    case spec::NamespaceType::User: return "user";
    case spec::NamespaceType::Cgroup: return "cgroup";
    case spec::NamespaceType::Time: return "time";
  }
  return "";
}

std::vector<std::string> names_of(uint64_t flags) {
  std::vector<std::string> names;
  for (int type = 0; type < spec::kNamespaceTypes; ++type) {
    const auto each = static_cast<spec::NamespaceType>(type);
    if ((flags & clone_flag(each)) != 0) names.emplace_back(name_of(each));
  }
  return names;
}

void dump_joined(json::Writer& out, std::string_view name,
                 const std::vector<JoinedNamespace>& list) {
  if (list.empty()) return;
  out.key(name).begin_array();
  for (const JoinedNamespace& item : list) {
    out.begin_object()
        .member("type", name_of(item.type))
        .member("path", item.path)
        .member("from", item.pointer)
        .end();
  }
  out.end();
}

std::string number_or_star(int64_t number) { return number < 0 ? "*" : std::to_string(number); }

// As devices.allow has it: "c 1:3 rwm".
std::string rule_text(const DeviceRulePlan& rule) {
  std::string access;
  if (rule.read) access += 'r';
  if (rule.write) access += 'w';
  if (rule.mknod) access += 'm';
  return formatted("{} {} {}:{} {}", rule.allow ? "allow" : "deny", rule.type,
                   number_or_star(rule.major), number_or_star(rule.minor), access);
}

void dump_places(json::Writer& out, const std::vector<CgroupPlace>& places) {
  out.key("places").begin_array();
  for (const CgroupPlace& place : places) {
    out.begin_object().member("hierarchy", place.mountpoint).member("path", place.path);
    list_member(out, "controllers", place.controllers);
    out.end();
  }
  out.end();
}

}  // namespace

void dump_namespaces(json::Writer& out, const NamespacePlan& plan) {
  out.member("shape", plan.shape == LaunchShape::Direct ? "direct" : "joiner");
  list_member(out, "new", names_of(plan.clone_flags));
  list_member(out, "newInCgroup", names_of(plan.unshare_flags));
  list_member(out, "newByHost", names_of(plan.host_flags));
  dump_joined(out, "enterFirst", plan.enter_first);
  dump_joined(out, "join", plan.join);
}

void dump_cgroup(json::Writer& out, const CgroupPlan& plan) {
  text_member(out, "unit", plan.unit.name);
  text_member(out, "slice", plan.unit.slice);
  dump_places(out, plan.places);
  if (!plan.writes.empty()) {
    out.key("writes").begin_array();
    for (const CgroupWrite& write : plan.writes) {
      out.begin_object();
      text_member(out, "controller", write.controller);
      out.member("file", write.file).member("value", write.value);
      text_member(out, "from", write.pointer);
      out.end();
    }
    out.end();
  }
  if (plan.delegate) out.member("delegatedTo", plan.delegate_uid);
  flag_member(out, "mayBeDenied", plan.tolerate_denied);
}

void dump_device_rules(json::Writer& out, const CgroupPlan& plan) {
  std::vector<std::string> rules;
  for (const DeviceRulePlan& rule : plan.devices) rules.push_back(rule_text(rule));
  list_member(out, "devices", rules);
}

void dump_rdt(json::Writer& out, const RdtPlan& plan) {
  out.key("classOfService").begin_object().member("group", "/" + plan.group);
  flag_member(out, "own", plan.own);
  flag_member(out, "mustExist", plan.must_exist);
  text_member(out, "schemata", plan.schemata);
  text_member(out, "monitor", plan.monitor);
  out.end();
}

namespace {

void dump_net_devices(json::Writer& out, const std::vector<spec::NetDevice>& devices) {
  out.key("netDevices").begin_object();
  for (const spec::NetDevice& device : devices)
    out.member(device.host_name, device.name.empty() ? device.host_name : device.name);
  out.end();
}

void dump_prefixes(json::Writer& out, std::string_view name,
                   const std::vector<IpPrefix>& prefixes) {
  if (prefixes.empty()) return;
  out.key(name).begin_array();
  for (const IpPrefix& prefix : prefixes) out.string(to_string(prefix));
  out.end();
}

void dump_subnets(json::Writer& out, const std::vector<SubnetPlan>& subnets) {
  std::vector<IpPrefix> networks;
  for (const SubnetPlan& subnet : subnets) networks.push_back(subnet.network);
  dump_prefixes(out, "subnets", networks);
}

void dump_ports(json::Writer& out, const std::vector<PortPlan>& ports) {
  if (ports.empty()) return;
  out.key("ports").begin_array();
  for (const PortPlan& port : ports) {
    out.begin_object().member("protocol", to_string(port.protocol));
    if (!port.host.bytes.empty()) out.member("host", to_string(port.host));
    out.member("hostPort", port.host_port).member("port", port.port).end();
  }
  out.end();
}

void dump_interface(json::Writer& out, const InterfacePlan& plan) {
  out.begin_object().member("name", plan.name);
  out.member("type", plan.kind == Interface::Kind::Bridge    ? "veth"
                     : plan.kind == Interface::Kind::Macvlan ? "macvlan"
                                                             : "cni");
  out.member("link", plan.link);
  if (plan.make_link) out.member("makeLink", true);
  dump_prefixes(out, "linkAddresses", plan.link_addresses);
  dump_prefixes(out, "addresses", plan.addresses);
  dump_subnets(out, plan.subnets);
  flag_member(out, "nat", plan.nat);
  dump_ports(out, plan.ports);
  if (plan.mtu != 0) out.member("mtu", plan.mtu);
  if (!plan.routes.empty()) out.key("routes").begin_array();
  for (const RoutePlan& route : plan.routes) {
    out.begin_object().member("to", to_string(route.to));
    if (!route.via.bytes.empty()) out.member("via", to_string(route.via));
    out.end();
  }
  if (!plan.routes.empty()) out.end();
  out.member("pointer", plan.pointer).end();
}

}  // namespace

void dump_network(json::Writer& out, const HostPlan& plan) {
  if (!plan.net_devices.empty()) dump_net_devices(out, plan.net_devices);
  if (plan.interfaces.empty()) return;
  out.key("interfaces").begin_array();
  for (const InterfacePlan& each : plan.interfaces) dump_interface(out, each);
  out.end();
}

void dump_hooks(json::Writer& out, const std::vector<HookItem>& hooks) {
  out.key("hooks").begin_array();
  for (const HookItem& hook : hooks) {
    out.begin_object().member("path", hook.path);
    list_member(out, "args", hook.args);
    list_member(out, "env", hook.env);
    if (hook.timeout_seconds) out.member("timeout", *hook.timeout_seconds);
    out.member("from", hook.pointer).end();
  }
  out.end();
}

void text_member(json::Writer& out, std::string_view name, std::string_view value) {
  if (!value.empty()) out.member(name, value);
}

void flag_member(json::Writer& out, std::string_view name, bool value) {
  if (value) out.member(name, true);
}

void list_member(json::Writer& out, std::string_view name, const std::vector<std::string>& values) {
  if (values.empty()) return;
  out.key(name).begin_array();
  for (const std::string& value : values) out.string(value);
  out.end();
}

}  // namespace berth::plan
