// SPDX-License-Identifier: Apache-2.0
#include "json/write.h"

#include <cmath>

#include "core/format.h"
#include "json/value.h"

namespace berth::json {
namespace {

// How many bytes of UTF-8 one character at the front takes; 0 when it is not valid (overlong,
// surrogate, cut, > U+10FFFF).
size_t utf8_length(std::string_view text) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const auto follows = [&](size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first >= 0xE0 && first <= 0xEF) {
    const bool bad = (first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) > 0x9F);
    return !bad && follows(1) && follows(2) ? 3 : 0;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    const bool bad = (first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) > 0x8F);
    return !bad && follows(1) && follows(2) && follows(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    case '\b': out += "\\b"; return;
    case '\f': out += "\\f"; return;
    default: break;
  }
  const auto byte = static_cast<unsigned char>(c);
  out += "\\u00";
  out += kHex[byte >> 4];
  out += kHex[byte & 15];
}

bool is_plain(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte >= 0x20 && byte < 0x80 && c != '"' && c != '\\';
}

void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    // Nearly all of nearly every text is plain.
    size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    out.append(text, 0, plain);
    text.remove_prefix(plain);
    if (text.empty()) break;
    const char c = text.front();
    size_t length = 1;
    if (static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\') {
      append_escaped(out, c);
    } else if ((length = utf8_length(text)) > 0) {
      out.append(text, 0, length);
    } else {
      out += "\xEF\xBF\xBD";
      length = 1;
    }
    text.remove_prefix(length);
  }
  out += '"';
}

}  // namespace

std::string quoted(std::string_view text) {
  std::string out;
  append_quoted(out, text);
  return out;
}

void Writer::newline() {
  if (indent_ == 0) return;
  text_ += '\n';
  if (indent_ == kTab)
    text_.append(open_.size(), '\t');
  else
    text_.append(open_.size() * static_cast<size_t>(indent_), ' ');
}

void Writer::before_value() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (open_.empty()) return;
  if (!first_) text_ += ',';
  first_ = false;
  newline();
}

Writer& Writer::begin_object() {
  before_value();
  text_ += '{';
  open_ += '{';
  first_ = true;
  return *this;
}

Writer& Writer::begin_array() {
  before_value();
  text_ += '[';
  open_ += '[';
  first_ = true;
  return *this;
}

Writer& Writer::end() {
  const char closing = open_.back() == '{' ? '}' : ']';
  open_.pop_back();
  if (!first_) newline();
  text_ += closing;
  first_ = false;
  return *this;
}

Writer& Writer::key(std::string_view name) {
  before_value();
  append_quoted(text_, name);
  text_ += indent_ == 0 ? ":" : ": ";
  after_key_ = true;
  return *this;
}

Writer& Writer::string(std::string_view value) {
  before_value();
  append_quoted(text_, value);
  return *this;
}

Writer& Writer::signed_number(int64_t value) { return raw(std::to_string(value)); }
Writer& Writer::unsigned_number(uint64_t value) { return raw(std::to_string(value)); }
Writer& Writer::real(double value) {
  return std::isfinite(value) ? raw(formatted("{}", value)) : null();
}
Writer& Writer::boolean(bool value) { return raw(value ? "true" : "false"); }
Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view json) {
  before_value();
  text_ += json;
  return *this;
}

Writer& Writer::value(const Value& value) {
  switch (value.kind) {
    case Value::Kind::Null: return null();
    case Value::Kind::Bool: return boolean(value.boolean);
    case Value::Kind::Signed: return number(value.signed_integer);
    case Value::Kind::Unsigned: return number(value.unsigned_integer);
    case Value::Kind::Double: return real(value.real);
    case Value::Kind::String: return string(value.string());
    case Value::Kind::Array:
      begin_array();
      for (const Value& each : value.array()) this->value(each);
      return end();
    case Value::Kind::Object:
      begin_object();
      for (const Member& member : value.object()) key(member.name).value(member.value);
      return end();
  }
  return *this;
}

}  // namespace berth::json
