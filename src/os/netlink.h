// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

// rtnetlink(7): one request, one answer. Usable after clone: messages are built in a buffer of a
// fixed size, nothing allocates. Everything returns a descriptor, 0 or -errno.
namespace berth::os {

// A message being built: the header, the fixed part of its type, then attributes.
class RouteRequest {
 public:
  template <typename Body>
  RouteRequest(uint16_t type, uint16_t flags, const Body& body) {
    header()->nlmsg_type = type;
    header()->nlmsg_flags = static_cast<uint16_t>(flags | NLM_F_REQUEST);
    header()->nlmsg_len = NLMSG_LENGTH(sizeof body);
    memcpy(NLMSG_DATA(header()), &body, sizeof body);
  }

  // False when there is no room: the message is then not sent.
  bool attribute(uint16_t type, std::span<const uint8_t> value);
  bool attribute(uint16_t type, uint32_t value);
  bool attribute(uint16_t type, std::string_view text);  // with the NUL that the kernel wants
  // Attributes inside of one, until end(its place). `body` comes before them.
  size_t begin(uint16_t type, std::span<const uint8_t> body = {});
  void end(size_t place);

  nlmsghdr* header() { return reinterpret_cast<nlmsghdr*>(buffer_.data()); }

 private:
  alignas(NLMSG_ALIGNTO) std::array<uint8_t, 1024> buffer_{};
};

// The attributes of an answer, from a place behind its fixed part.
struct RouteAttributes {
  std::span<const uint8_t> bytes;
  std::span<const uint8_t> find(uint16_t type) const;  // empty: not there
};

template <typename Body>
const Body& body_of(const nlmsghdr& message) {
  return *static_cast<const Body*>(NLMSG_DATA(&message));
}

template <typename Body>
RouteAttributes attributes_of(const nlmsghdr& message) {
  const auto* start = reinterpret_cast<const uint8_t*>(&message);
  const size_t fixed = NLMSG_SPACE(sizeof(Body));
  if (message.nlmsg_len <= fixed) return {};
  return {{start + fixed, message.nlmsg_len - fixed}};
}

// In the network namespace of the calling thread. It stays there, whoever uses it.
int open_route_socket();

// Sends, and waits for the kernel's yes or no.
int request_route(int socket, RouteRequest& request);

// Calls take(context, message) for each message of the answer: one object, or with NLM_F_DUMP all.
using TakeRoute = void (*)(void* context, const nlmsghdr& message);
int ask_route(int socket, RouteRequest& request, TakeRoute take, void* context);

}  // namespace berth::os
