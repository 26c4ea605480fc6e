// SPDX-License-Identifier: Apache-2.0
#include "driver/json_text.h"

#include "core/format.h"

namespace berth::driver {

std::string quoted(std::string_view text) {
  std::string json = "\"";
  for (char character : text) {
    auto byte = static_cast<unsigned char>(character);
    if (byte == '"' || byte == '\\') {
      json += {'\\', character};
    } else if (byte < 0x20 || byte == 0x7f) {
      json += formatted("\\u{:04x}", byte);
    } else {
      json += character;
    }
  }
  return json + '"';
}

std::string quoted_list(const std::vector<std::string>& texts) {
  std::string json;
  for (const auto& text : texts) json += (json.empty() ? "[" : ",") + quoted(text);
  return json.empty() ? "[]" : json + "]";
}

}  // namespace berth::driver
