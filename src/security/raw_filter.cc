// SPDX-License-Identifier: Apache-2.0
#include "security/raw_filter.h"

#include <string.h>

#include <string>

#include "berth/try.h"
#include "core/context.h"

namespace berth::security {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

Result<std::string> decode_base64(std::string_view text) {
  const size_t padding = text.size() - (text.find_last_not_of('=') + 1);
  if (text.size() % 4 != 0 || padding > 2)
    return fail(ErrorKind::InvalidConfig, "is not base64: the length or the padding is wrong");
  std::string bytes;
  bytes.reserve(text.size() / 4 * 3);
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size() - padding; ++i) {
    const size_t value = kAlphabet.find(text[i]);
    if (value == std::string_view::npos)
      return fail(ErrorKind::InvalidConfig, "is not base64: character {}", i);
    bits = bits << 6 | static_cast<uint32_t>(value);
    if (i % 4 != 0) bytes.push_back(static_cast<char>(bits >> (6 - i % 4 * 2) & 0xff));
  }
  return bytes;
}

}  // namespace

Result<std::vector<sock_filter>> read_raw_filter(std::string_view base64) {
  const std::string bytes = TRY(decode_base64(base64));
  const size_t count = bytes.size() / sizeof(sock_filter);
  if (count == 0 || bytes.size() % sizeof(sock_filter) != 0 || count > BPF_MAXINSNS) {
    return fail(ErrorKind::InvalidConfig,
                "has {} bytes; a BPF program has 1 to {} instructions of 8 bytes", bytes.size(),
                BPF_MAXINSNS);
  }
  std::vector<sock_filter> code(count);
  memcpy(code.data(), bytes.data(), bytes.size());
  return code;
}

}  // namespace berth::security
