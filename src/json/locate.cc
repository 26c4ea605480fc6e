// SPDX-License-Identifier: Apache-2.0
// Positions for messages: a second, simple walk through a text that was parsed before. It runs only
// after an error, and stays within the text even when that is not valid.
#include <optional>
#include <string>

#include "json/position.h"
#include "json/value.h"

namespace berth::json {
namespace {

class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  size_t offset() const { return at_; }
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  void skip_space() {
    while (!at_end() && std::string_view(" \t\r\n").contains(text_[at_])) ++at_;
  }

  bool take(char wanted) {
    skip_space();
    if (peek() != wanted) return false;
    ++at_;
    return true;
  }

  // The text of a string between its quotes, escapes as they are.
  std::string_view raw_string() {
    if (!take('"')) return {};
    const size_t begin = at_;
    while (!at_end() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    const size_t end = std::min(at_, text_.size());
    at_ = std::min(end + 1, text_.size());
    return text_.substr(begin, end - begin);
  }

  void skip_value() {
    int depth = 0;
    do {
      skip_space();
      const char c = peek();
      if (c == '"') {
        raw_string();
      } else {
        if (c == '{' || c == '[') ++depth;
        if (c == '}' || c == ']') --depth;
        ++at_;
        if (depth == 0 && c != '}' && c != ']') skip_word();
      }
    } while (depth > 0 && !at_end());
  }

 private:
  void skip_word() {
    while (!at_end() && !std::string_view(" \t\r\n,]}:").contains(text_[at_])) ++at_;
  }

  std::string_view text_;
  size_t at_ = 0;
};

unsigned hex4(std::string_view digits) {
  unsigned value = 0;
  for (const char c : digits.substr(0, 4)) {
    const unsigned digit = c >= 'a'   ? unsigned(c - 'a') + 10
                           : c >= 'A' ? unsigned(c - 'A') + 10
                                      : unsigned(c - '0');
    value = value * 16 + (digit & 15U);
  }
  return value;
}

void append_utf8(std::string& text, unsigned code) {
  const auto add = [&text](unsigned byte) { text += static_cast<char>(byte); };
  if (code < 0x80) return add(code);
  if (code < 0x800) return add(0xC0 | code >> 6), add(0x80 | (code & 63));
  if (code < 0x10000)
    return add(0xE0 | code >> 12), add(0x80 | (code >> 6 & 63)), add(0x80 | (code & 63));
  add(0xF0 | code >> 18), add(0x80 | (code >> 12 & 63)), add(0x80 | (code >> 6 & 63)),
      add(0x80 | (code & 63));
}

// "\uXXXX" (or a surrogate pair of them) at `at`; answers how many characters it took.
size_t append_unicode_escape(std::string& text, std::string_view raw) {
  unsigned code = hex4(raw.substr(2));
  if (code < 0xD800 || code >= 0xDC00 || raw.size() < 12) return append_utf8(text, code), 6;
  code = 0x10000 + ((code - 0xD800) << 10) + (hex4(raw.substr(8)) - 0xDC00);
  return append_utf8(text, code), 12;
}

std::string unescaped(std::string_view raw) {
  constexpr std::string_view kNames = "bfnrt";
  constexpr std::string_view kCharacters = "\b\f\n\r\t";
  std::string text;
  for (size_t i = 0; i < raw.size();) {
    if (raw[i] != '\\' || i + 1 >= raw.size()) {
      text += raw[i++];
    } else if (raw[i + 1] == 'u' && raw.size() - i >= 6) {
      i += append_unicode_escape(text, raw.substr(i));
    } else {
      const size_t name = kNames.find(raw[i + 1]);
      text += name == std::string_view::npos ? raw[i + 1] : kCharacters[name];
      i += 2;
    }
  }
  return text;
}

// The walker goes to the value of the named member, or answers false.
bool enter_member(Walker& walker, std::string_view name) {
  if (!walker.take('{')) return false;
  do {
    const std::string key = unescaped(walker.raw_string());
    if (!walker.take(':')) return false;
    if (key == name) return true;
    walker.skip_value();
  } while (walker.take(','));
  return false;
}

bool enter_element(Walker& walker, std::string_view index) {
  size_t wanted = 0;
  for (const char c : index) {
    if (c < '0' || c > '9') return false;
    wanted = wanted * 10 + size_t(c - '0');
  }
  if (index.empty() || !walker.take('[')) return false;
  for (size_t i = 0; i < wanted; ++i) {
    walker.skip_value();
    if (!walker.take(',')) return false;
  }
  walker.skip_space();
  return walker.peek() != ']';
}

std::string pointer_token(std::string_view raw) {
  std::string token;
  for (size_t i = 0; i < raw.size(); ++i) {
    if (raw[i] == '~' && i + 1 < raw.size())
      token += raw[++i] == '1' ? '/' : '~';
    else
      token += raw[i];
  }
  return token;
}

}  // namespace

Position position_of(std::string_view text, size_t offset) {
  Position place{.line = 1, .column = 1};
  for (const char c : text.substr(0, offset)) {
    if (c == '\n')
      place = {.line = place.line + 1, .column = 1};
    else
      ++place.column;
  }
  return place;
}

Position locate(std::string_view text, std::string_view pointer) {
  Walker walker(text);
  while (!pointer.empty()) {
    if (pointer.front() != '/') return {};
    pointer.remove_prefix(1);
    const std::string token = pointer_token(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(std::min(pointer.find('/'), pointer.size()));
    walker.skip_space();
    const bool found =
        walker.peek() == '[' ? enter_element(walker, token) : enter_member(walker, token);
    if (!found) return {};
  }
  walker.skip_space();
  return walker.at_end() ? Position{} : position_of(text, walker.offset());
}

}  // namespace berth::json
