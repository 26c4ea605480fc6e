// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace berth::json {

class Value;

// Writer(kTab): one tab a level, as `runc spec` prints.
inline constexpr int kTab = -1;

// Writes JSON text piece by piece: Writer w; w.begin_object(); w.key("pid"); w.number(3); w.end();
// w.text(). Compact by default; indent > 0 (or kTab) writes one member a line as Go's MarshalIndent
// does (runc's state, list, spec). The text is valid JSON whatever bytes the strings hold: what is
// not UTF-8 becomes U+FFFD.
class Writer {
 public:
  explicit Writer(int indent = 0) : indent_(indent) {}

  Writer& begin_object();
  Writer& begin_array();
  Writer& end();  // of the innermost object or array
  Writer& key(std::string_view name);

  Writer& string(std::string_view value);
  Writer& number(std::integral auto value) {
    if constexpr (std::is_signed_v<decltype(value)>)
      return signed_number(value);
    else
      return unsigned_number(value);
  }
  Writer& real(double value);
  Writer& boolean(bool value);
  Writer& null();
  // A piece of JSON text as it is.
  Writer& raw(std::string_view json);
  // What was read.
  Writer& value(const Value& value);

  // key + value in one call.
  Writer& member(std::string_view name, std::string_view value) { return key(name).string(value); }
  Writer& member(std::string_view name, const char* value) { return key(name).string(value); }
  Writer& member(std::string_view name, bool value) { return key(name).boolean(value); }
  Writer& member(std::string_view name, std::integral auto value)
    requires(!std::same_as<decltype(value), bool>)
  {
    return key(name).number(value);
  }

  const std::string& text() const { return text_; }
  std::string take() { return std::move(text_); }

 private:
  Writer& signed_number(int64_t value);
  Writer& unsigned_number(uint64_t value);
  void before_value();
  void newline();

  std::string text_;
  std::string open_;  // one '{' or '[' for each open level
  int indent_;
  bool first_ = true;
  bool after_key_ = false;
};

// A string as a JSON string with its quotes.
std::string quoted(std::string_view text);

}  // namespace berth::json
