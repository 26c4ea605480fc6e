// SPDX-License-Identifier: Apache-2.0
#include "network/link.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sys/socket.h>

#include <span>

#include "berth/try.h"
#include "core/context.h"
#include "os/netlink.h"

namespace berth::network {
namespace {

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

void describe(os::RouteRequest& request, const Inside& inside) {
  (void)request.attribute(IFLA_IFNAME, std::string_view(inside.name));
  (void)request.attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(inside.network_namespace));
  (void)request.attribute(IFLA_MTU, inside.mtu);
  if (!inside.hardware.empty()) (void)request.attribute(IFLA_ADDRESS, bytes_of(inside.hardware));
}

Result<> ask_for(int socket, os::RouteRequest& request, std::string_view kind,
                 const std::string& name) {
  const int result = os::request_route(socket, request);
  if (result == 0) return {};
  if (result == -EEXIST)
    return fail(ErrorKind::AlreadyExists, "there is a network device {} already", name);
  if (result == -EOPNOTSUPP)
    return fail(ErrorKind::Unsupported, "this kernel has no network devices of the kind {}", kind);
  return system_error(-result, "make network device {} ({})", name, kind);
}

constexpr uint16_t kNew = NLM_F_CREATE | NLM_F_EXCL;

constexpr size_t kAliasSize = 255;  // IFALIASZ, less its NUL

}  // namespace

std::string alias_of(const std::string& id) { return ("berth:" + id).substr(0, kAliasSize); }

bool is_made_for(const Device& device, const std::string& id) {
  const bool made = device.kind == "veth" || device.kind == "macvlan";
  return made && (device.alias.empty() || device.alias == alias_of(id));
}

Result<> make_pair(int socket, const std::string& name, const Device& bridge,
                   const Inside& inside) {
  os::RouteRequest request(RTM_NEWLINK, kNew, ifinfomsg{});
  (void)request.attribute(IFLA_IFNAME, std::string_view(name));
  (void)request.attribute(IFLA_MASTER, static_cast<uint32_t>(bridge.index));
  (void)request.attribute(IFLA_MTU, inside.mtu);
  const size_t info = request.begin(IFLA_LINKINFO);
  (void)request.attribute(IFLA_INFO_KIND, std::string_view("veth"));
  const size_t options = request.begin(IFLA_INFO_DATA);
  const ifinfomsg head{};
  const size_t peer =
      request.begin(VETH_INFO_PEER, {reinterpret_cast<const uint8_t*>(&head), sizeof head});
  describe(request, inside);
  request.end(peer);
  request.end(options);
  request.end(info);
  return ask_for(socket, request, "veth", inside.name);
}

Result<> make_macvlan(int socket, const Device& parent, const Inside& inside) {
  os::RouteRequest request(RTM_NEWLINK, kNew, ifinfomsg{});
  describe(request, inside);
  (void)request.attribute(IFLA_LINK, static_cast<uint32_t>(parent.index));
  const size_t info = request.begin(IFLA_LINKINFO);
  (void)request.attribute(IFLA_INFO_KIND, std::string_view("macvlan"));
  const size_t options = request.begin(IFLA_INFO_DATA);
  (void)request.attribute(IFLA_MACVLAN_MODE, uint32_t{MACVLAN_MODE_BRIDGE});
  request.end(options);
  request.end(info);
  return ask_for(socket, request, "macvlan", inside.name);
}

Result<> make_bridge(int socket, const std::string& name, const std::string& hardware) {
  os::RouteRequest request(RTM_NEWLINK, kNew, ifinfomsg{});
  (void)request.attribute(IFLA_IFNAME, std::string_view(name));
  (void)request.attribute(IFLA_ADDRESS, bytes_of(hardware));
  const size_t info = request.begin(IFLA_LINKINFO);
  (void)request.attribute(IFLA_INFO_KIND, std::string_view("bridge"));
  request.end(info);
  return ask_for(socket, request, "bridge", name);
}

Result<> bring_up(int socket, const std::string& name, const std::string& alias) {
  ifinfomsg link{};
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  os::RouteRequest request(RTM_NEWLINK, 0, link);
  (void)request.attribute(IFLA_IFNAME, std::string_view(name));
  (void)request.attribute(IFLA_IFALIAS, std::string_view(alias));
  const int result = os::request_route(socket, request);
  if (result == 0) return {};
  return system_error(-result, "set network device {} up", name);
}

Result<> set_hairpin(int socket, int device) {
  ifinfomsg port{};
  port.ifi_family = AF_BRIDGE;
  port.ifi_index = device;
  os::RouteRequest request(RTM_SETLINK, 0, port);
  const size_t flags = request.begin(IFLA_PROTINFO | NLA_F_NESTED);
  const uint8_t on[] = {1};
  (void)request.attribute(IFLA_BRPORT_MODE, on);
  request.end(flags);
  const int result = os::request_route(socket, request);
  if (result == 0) return {};
  return system_error(-result, "let a bridge's port answer itself");
}

Result<> remove_device(int socket, int device) {
  ifinfomsg link{};
  link.ifi_index = device;
  os::RouteRequest request(RTM_DELLINK, 0, link);
  const int result = os::request_route(socket, request);
  if (result == 0 || result == -ENODEV) return {};
  return system_error(-result, "remove a network device");
}

Result<> add_route(int socket, int device, const plan::RoutePlan& route) {
  rtmsg head{};
  head.rtm_family = route.to.address.family;
  head.rtm_dst_len = route.to.length;
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_STATIC;
  head.rtm_scope = route.via.bytes.empty() ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  head.rtm_type = RTN_UNICAST;
  os::RouteRequest request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, head);
  if (route.to.length > 0) (void)request.attribute(RTA_DST, bytes_of(route.to.address.bytes));
  if (!route.via.bytes.empty()) (void)request.attribute(RTA_GATEWAY, bytes_of(route.via.bytes));
  (void)request.attribute(RTA_OIF, static_cast<uint32_t>(device));
  const int result = os::request_route(socket, request);
  const std::string name =
      route.to.length == 0 ? "a default route" : "a route to " + to_string(route.to);
  if (result == 0) return {};
  if (result == -EEXIST) return fail(ErrorKind::AlreadyExists, "there is {} already", name);
  return system_error(-result, "add {}", name);
}

}  // namespace berth::network
