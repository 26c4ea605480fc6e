// SPDX-License-Identifier: Apache-2.0
#include "plan/ip_address.h"

#include <arpa/inet.h>

#include <charconv>

#include "berth/try.h"
#include "core/context.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

uint8_t bits_of(const IpAddress& address) { return static_cast<uint8_t>(address.bytes.size() * 8); }

std::string text_of(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(address.family, address.bytes.data(), text, sizeof text);
  return text;
}

}  // namespace

bool contains(const IpPrefix& network, const IpAddress& address) {
  if (network.address.family != address.family) return false;
  for (size_t bit = 0; bit < network.length; ++bit) {
    const int difference = network.address.bytes[bit / 8] ^ address.bytes[bit / 8];
    if ((difference >> (7 - bit % 8) & 1) != 0) return false;
  }
  return true;
}

std::string to_string(const IpAddress& address) { return text_of(address); }

std::string to_string(const IpPrefix& prefix) {
  return formatted("{}/{}", text_of(prefix.address), static_cast<unsigned>(prefix.length));
}

IpAddress address_in(const IpPrefix& network, uint64_t number) {
  IpAddress address = network.address;
  size_t left = bits_of(address) - network.length;
  for (size_t byte = address.bytes.size(); byte-- > 0 && left > 0; number >>= 8) {
    const size_t bits = left < 8 ? left : 8;
    const auto mask = static_cast<unsigned char>((1U << bits) - 1);
    const auto kept = static_cast<unsigned char>(address.bytes[byte] & ~mask);
    address.bytes[byte] = static_cast<char>(kept | (number & mask));
    left -= bits;
  }
  return address;
}

uint64_t number_in(const IpPrefix& network, const IpAddress& address) {
  uint64_t number = 0;
  const size_t size = bits_of(network.address);
  for (size_t bit = network.length; bit < size && bit < address.bytes.size() * 8; ++bit) {
    const auto byte = static_cast<unsigned char>(address.bytes[bit / 8]);
    number = number << 1 | (byte >> (7 - bit % 8) & 1U);
  }
  return number;
}

Result<IpAddress> read_address(std::string_view text, std::string_view pointer) {
  const std::string copy(text);
  char bytes[sizeof(in6_addr)];
  for (const int family : {AF_INET, AF_INET6}) {
    if (::inet_pton(family, copy.c_str(), bytes) != 1) continue;
    const size_t size = family == AF_INET ? sizeof(in_addr) : sizeof(in6_addr);
    return IpAddress{.family = static_cast<uint8_t>(family), .bytes = std::string(bytes, size)};
  }
  return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\" is no IP address", text);
}

Result<IpPrefix> read_prefix(std::string_view text, std::string_view pointer) {
  const size_t slash = text.find('/');
  IpPrefix prefix{.address = TRY(read_address(text.substr(0, slash), pointer))};
  prefix.length = bits_of(prefix.address);
  if (slash == text.npos) {
    return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\" does not say its network: {}/{}", text,
                  text, prefix.address.family == AF_INET ? 24 : 64);
  }
  unsigned length = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data() + slash + 1, end, length);
  if (error != std::errc() || stop != end || length > prefix.length)
    return refuse(pointer, ErrorKind::InvalidConfig, "\"{}\": {} bits are no part of an address",
                  text, text.substr(slash + 1));
  prefix.length = static_cast<uint8_t>(length);
  return prefix;
}

// Bits behind the length are somebody's address, where a network is expected.
Result<> check_network(const IpPrefix& prefix, std::string_view pointer) {
  for (size_t bit = prefix.length; bit < bits_of(prefix.address); ++bit) {
    const auto byte = static_cast<unsigned char>(prefix.address.bytes[bit / 8]);
    if ((byte >> (7 - bit % 8) & 1) != 0)
      return refuse(pointer, ErrorKind::InvalidConfig, "{} is an address, not a network",
                    to_string(prefix));
  }
  return {};
}

}  // namespace berth::plan
