// SPDX-License-Identifier: Apache-2.0
#include "network/device.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include <algorithm>
#include <span>

#include "berth/try.h"
#include "core/context.h"
#include "os/netlink.h"
#include "plan/interface_plan.h"

namespace berth::network {
namespace {

constexpr int kDumpTries = 8;  // a dump that changed under the kernel's hands is begun anew

// What says how the address fares, not what it is.
constexpr uint32_t kPassing =
    IFA_F_TENTATIVE | IFA_F_DADFAILED | IFA_F_OPTIMISTIC | IFA_F_DEPRECATED | IFA_F_SECONDARY;

std::string text_of(std::span<const uint8_t> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::span<const uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

std::string word_of(std::span<const uint8_t> bytes) {
  std::string text = text_of(bytes);
  if (text.ends_with('\0')) text.pop_back();
  return text;
}

uint32_t number_of(std::span<const uint8_t> bytes) {
  uint32_t number = 0;
  if (bytes.size() == sizeof number) memcpy(&number, bytes.data(), sizeof number);
  return number;
}

InterfaceCounters counters_of(std::span<const uint8_t> bytes) {
  rtnl_link_stats64 counted{};  // grows with kernels: what is there of it
  memcpy(&counted, bytes.data(), std::min(bytes.size(), sizeof counted));
  return {.rx_bytes = counted.rx_bytes,
          .rx_packets = counted.rx_packets,
          .rx_errors = counted.rx_errors,
          .rx_dropped = counted.rx_dropped,
          .tx_bytes = counted.tx_bytes,
          .tx_packets = counted.tx_packets,
          .tx_errors = counted.tx_errors,
          .tx_dropped = counted.tx_dropped};
}

void take_device(void* context, const nlmsghdr& message) {
  auto& devices = *static_cast<std::vector<Device>*>(context);
  if (message.nlmsg_type != RTM_NEWLINK) return;
  const auto& link = os::body_of<ifinfomsg>(message);
  const os::RouteAttributes attributes = os::attributes_of<ifinfomsg>(message);
  const os::RouteAttributes info{attributes.find(IFLA_LINKINFO)};
  devices.push_back({.index = link.ifi_index,
                     .name = word_of(attributes.find(IFLA_IFNAME)),
                     .is_up = (link.ifi_flags & IFF_UP) != 0,
                     .hardware = text_of(attributes.find(IFLA_ADDRESS)),
                     .kind = word_of(info.find(IFLA_INFO_KIND)),
                     .alias = word_of(attributes.find(IFLA_IFALIAS)),
                     .bridge = static_cast<int>(number_of(attributes.find(IFLA_MASTER))),
                     .mtu = number_of(attributes.find(IFLA_MTU)),
                     .counters = counters_of(attributes.find(IFLA_STATS64))});
}

struct Listing {
  int device = 0;
  std::vector<Address> addresses = {};
};

void take_address(void* context, const nlmsghdr& message) {
  auto& listing = *static_cast<Listing*>(context);
  if (message.nlmsg_type != RTM_NEWADDR) return;
  const auto& head = os::body_of<ifaddrmsg>(message);
  const os::RouteAttributes attributes = os::attributes_of<ifaddrmsg>(message);
  const std::span<const uint8_t> wide = attributes.find(IFA_FLAGS);
  const uint32_t flags = wide.empty() ? head.ifa_flags : number_of(wide);
  if (static_cast<int>(head.ifa_index) != listing.device) return;
  if ((flags & IFA_F_PERMANENT) == 0 || head.ifa_scope != RT_SCOPE_UNIVERSE) return;
  Address address{.family = head.ifa_family,
                  .prefix = head.ifa_prefixlen,
                  .flags = flags & ~kPassing,
                  .local = text_of(attributes.find(IFA_LOCAL)),
                  .peer = text_of(attributes.find(IFA_ADDRESS)),
                  .broadcast = text_of(attributes.find(IFA_BROADCAST))};
  if (address.local.empty()) address.local = address.peer;  // IPv6 says it once
  listing.addresses.push_back(std::move(address));
}

}  // namespace

std::string hardware_text(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes)
    text += formatted("{}{:02x}", text.empty() ? "" : ":", static_cast<unsigned char>(byte));
  return text;
}

std::string address_text(const Address& address) {
  return plan::to_string(plan::IpPrefix{
      .address = {.family = address.family, .bytes = address.local}, .length = address.prefix});
}

Result<Device> find_device(int socket, const std::string& name) {
  std::vector<Device> devices;
  os::RouteRequest request(RTM_GETLINK, 0, ifinfomsg{});
  (void)request.attribute(IFLA_IFNAME, name);
  const int result = os::ask_route(socket, request, take_device, &devices);
  if (result == -ENODEV) return fail(ErrorKind::NotFound, "there is no network device {}", name);
  if (result < 0) return system_error(-result, "look for network device {}", name);
  if (devices.size() != 1) return fail(ErrorKind::Internal, "{} is not one network device", name);
  return std::move(devices.front());
}

Result<std::vector<Device>> list_devices(int socket) {
  int result = -EINTR;
  std::vector<Device> devices;
  for (int left = kDumpTries; result == -EINTR && left > 0; --left) {
    devices.clear();
    os::RouteRequest request(RTM_GETLINK, NLM_F_DUMP, ifinfomsg{});
    result = os::ask_route(socket, request, take_device, &devices);
  }
  if (result < 0) return system_error(-result, "list the network devices");
  return devices;
}

Result<std::vector<Address>> list_addresses(int socket, int device) {
  int result = -EINTR;
  Listing listing{.device = device};
  for (int left = kDumpTries; result == -EINTR && left > 0; --left) {
    listing.addresses.clear();
    os::RouteRequest request(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{});
    result = os::ask_route(socket, request, take_address, &listing);
  }
  if (result < 0) return system_error(-result, "list the addresses of network devices");
  return std::move(listing.addresses);
}

Result<> add_address(int socket, int device, const Address& address) {
  os::RouteRequest request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL,
                           ifaddrmsg{.ifa_family = address.family,
                                     .ifa_prefixlen = address.prefix,
                                     .ifa_flags = 0,
                                     .ifa_scope = RT_SCOPE_UNIVERSE,
                                     .ifa_index = static_cast<uint32_t>(device)});
  (void)request.attribute(IFA_LOCAL, bytes_of(address.local));
  (void)request.attribute(IFA_ADDRESS, bytes_of(address.peer));
  if (!address.broadcast.empty())
    (void)request.attribute(IFA_BROADCAST, bytes_of(address.broadcast));
  (void)request.attribute(IFA_FLAGS, address.flags);
  const int result = os::request_route(socket, request);
  if (result == 0 || result == -EEXIST) return {};
  return system_error(-result, "give a network device its address");
}

Result<> move_device(int socket, const Device& device, int target, const std::string& name) {
  ifinfomsg link{};
  link.ifi_index = device.index;
  os::RouteRequest request(RTM_NEWLINK, 0, link);
  (void)request.attribute(IFLA_NET_NS_FD, static_cast<uint32_t>(target));
  (void)request.attribute(IFLA_IFNAME, name);
  const int result = os::request_route(socket, request);
  if (result == 0) return {};
  if (result == -EEXIST)
    return fail(ErrorKind::AlreadyExists, "a network device {} is there already", name);
  return system_error(-result, "move network device {}", device.name);
}

Result<> rename_device(int socket, const Device& device, const std::string& name) {
  ifinfomsg link{};
  link.ifi_index = device.index;
  link.ifi_change = IFF_UP;
  os::RouteRequest down(RTM_NEWLINK, 0, link);
  int result = os::request_route(socket, down);
  link.ifi_change = 0;
  os::RouteRequest request(RTM_NEWLINK, 0, link);
  (void)request.attribute(IFLA_IFNAME, name);
  if (result == 0) result = os::request_route(socket, request);
  if (result == 0) return {};
  return system_error(-result, "rename network device {} to {}", device.name, name);
}

Result<> set_up(int socket, int device) {
  ifinfomsg link{};
  link.ifi_index = device;
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  os::RouteRequest request(RTM_NEWLINK, 0, link);
  const int result = os::request_route(socket, request);
  if (result == 0) return {};
  return system_error(-result, "set a network device up");
}

}  // namespace berth::network
