// SPDX-License-Identifier: Apache-2.0
#include "os/netlink.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

namespace berth::os {
namespace {

// The kernel fills at most 32 KiB of a dump at once, and never less than a message needs.
constexpr size_t kAnswer = 32 << 10;

// 0: the conversation is over; 1: more comes.
int take_messages(const uint8_t* bytes, size_t size, TakeRoute take, void* context) {
  const auto* message = reinterpret_cast<const nlmsghdr*>(bytes);
  for (; NLMSG_OK(message, size); message = NLMSG_NEXT(message, size)) {
    if (message->nlmsg_type == NLMSG_DONE) return 0;
    if (message->nlmsg_type == NLMSG_ERROR) {
      if (message->nlmsg_len < NLMSG_LENGTH(sizeof(nlmsgerr))) return -EPROTO;
      return body_of<nlmsgerr>(*message).error;
    }
    if ((message->nlmsg_flags & NLM_F_DUMP_INTR) != 0) return -EINTR;
    if (take != nullptr) take(context, *message);
  }
  return 1;
}

int send_request(int socket, RouteRequest& request) {
  const nlmsghdr* header = request.header();
  ssize_t size;
  do {
    size = ::send(socket, header, header->nlmsg_len, 0);
  } while (size < 0 && errno == EINTR);
  return size < 0 ? -errno : 0;
}

// Each request ends with NLMSG_DONE or NLMSG_ERROR (0 for yes): nothing is left for the next.
int receive_answer(int socket, TakeRoute take, void* context) {
  alignas(NLMSG_ALIGNTO) uint8_t buffer[kAnswer];
  for (int result = 1;;) {
    const ssize_t size = ::recv(socket, buffer, sizeof buffer, MSG_TRUNC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return -errno;
    if (static_cast<size_t>(size) > sizeof buffer) return -EMSGSIZE;
    result = take_messages(buffer, static_cast<size_t>(size), take, context);
    if (result <= 0) return result;
  }
}

}  // namespace

bool RouteRequest::attribute(uint16_t type, std::span<const uint8_t> value) {
  const size_t start = NLMSG_ALIGN(header()->nlmsg_len);
  const size_t length = RTA_LENGTH(value.size());
  if (start + RTA_ALIGN(length) > buffer_.size()) {
    header()->nlmsg_type = NLMSG_NOOP;
    return false;
  }
  rtattr head{.rta_len = static_cast<uint16_t>(length), .rta_type = type};
  memcpy(buffer_.data() + start, &head, sizeof head);
  if (!value.empty()) memcpy(buffer_.data() + start + RTA_LENGTH(0), value.data(), value.size());
  header()->nlmsg_len = static_cast<uint32_t>(start + RTA_ALIGN(length));
  return true;
}

bool RouteRequest::attribute(uint16_t type, uint32_t value) {
  return attribute(type, {reinterpret_cast<const uint8_t*>(&value), sizeof value});
}

bool RouteRequest::attribute(uint16_t type, std::string_view text) {
  uint8_t buffer[256] = {};  // IFALIASZ; names are shorter
  if (text.size() >= sizeof buffer) return false;
  memcpy(buffer, text.data(), text.size());
  return attribute(type, {buffer, text.size() + 1});
}

size_t RouteRequest::begin(uint16_t type, std::span<const uint8_t> body) {
  const size_t place = NLMSG_ALIGN(header()->nlmsg_len);
  return attribute(type, body) ? place : 0;
}

void RouteRequest::end(size_t place) {
  if (place == 0) return;  // there was no room
  const auto length = static_cast<uint16_t>(header()->nlmsg_len - place);
  memcpy(buffer_.data() + place + offsetof(rtattr, rta_len), &length, sizeof length);
}

std::span<const uint8_t> RouteAttributes::find(uint16_t type) const {
  size_t left = bytes.size();
  const auto* attribute = reinterpret_cast<const rtattr*>(bytes.data());
  for (; RTA_OK(attribute, left); attribute = RTA_NEXT(attribute, left)) {
    if ((attribute->rta_type & NLA_TYPE_MASK) == type)
      return {static_cast<const uint8_t*>(RTA_DATA(attribute)), RTA_PAYLOAD(attribute)};
  }
  return {};
}

int open_route_socket() {
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  return socket < 0 ? -errno : socket;
}

int request_route(int socket, RouteRequest& request) {
  request.header()->nlmsg_flags |= NLM_F_ACK;
  const int sent = send_request(socket, request);
  return sent < 0 ? sent : receive_answer(socket, nullptr, nullptr);
}

int ask_route(int socket, RouteRequest& request, TakeRoute take, void* context) {
  // With an acknowledgement a single object ends as a dump does.
  if ((request.header()->nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
    request.header()->nlmsg_flags |= NLM_F_ACK;
  const int sent = send_request(socket, request);
  return sent < 0 ? sent : receive_answer(socket, take, context);
}

}  // namespace berth::os
