// SPDX-License-Identifier: Apache-2.0
#include "berth/network.h"
#include "json/write.h"
#include "spec/interfaces.h"

namespace berth {
namespace {

void write(json::Writer& out, const InterfaceState& state) {
  out.begin_object().member("name", state.name).member("type", state.kind);
  out.member("mac", state.mac).member("mtu", state.mtu).member("up", state.is_up);
  out.key("addresses").begin_array();
  for (const std::string& address : state.addresses) out.string(address);
  out.end().member("made", state.is_made);
  if (state.is_made) out.member("link", state.link).member("hostName", state.host_name);
  if (!state.cni.empty()) out.key("cni").raw(state.cni);
  const InterfaceCounters& counters = state.counters;
  out.member("rxBytes", counters.rx_bytes).member("rxPackets", counters.rx_packets);
  out.member("rxErrors", counters.rx_errors).member("rxDropped", counters.rx_dropped);
  out.member("txBytes", counters.tx_bytes).member("txPackets", counters.tx_packets);
  out.member("txErrors", counters.tx_errors).member("txDropped", counters.tx_dropped).end();
}

}  // namespace

Result<std::vector<Interface>> parse_interfaces(std::string_view json) {
  Result<std::vector<Interface>> interfaces = spec::read_interfaces(json);
  if (!interfaces) interfaces.error().set_place("interfaces");
  return interfaces;
}

std::string to_json(const std::vector<InterfaceState>& states, int indent) {
  json::Writer out(indent);
  out.begin_array();
  for (const InterfaceState& state : states) write(out, state);
  return out.end().take();
}

}  // namespace berth
