// SPDX-License-Identifier: Apache-2.0
#include "network/address.h"

#include <linux/if_addr.h>
#include <sys/socket.h>

namespace berth::network {
namespace {

std::string broadcast_of(const plan::IpPrefix& prefix) {
  std::string bytes = prefix.address.bytes;
  for (size_t bit = prefix.length; bit < bytes.size() * 8; ++bit)
    bytes[bit / 8] = static_cast<char>(bytes[bit / 8] | 1 << (7 - bit % 8));
  return bytes;
}

}  // namespace

Address address_of(const plan::IpPrefix& prefix) {
  constexpr uint8_t kPointToPoint = 31;  // RFC 3021: two addresses and no broadcast
  const plan::IpAddress& address = prefix.address;
  Address result{.family = address.family,
                 .prefix = prefix.length,
                 .local = address.bytes,
                 .peer = address.bytes};
  if (address.family == AF_INET6) result.flags = IFA_F_NODAD;
  if (address.family == AF_INET && prefix.length < kPointToPoint)
    result.broadcast = broadcast_of(prefix);
  return result;
}

}  // namespace berth::network
