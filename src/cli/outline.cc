// SPDX-License-Identifier: Apache-2.0
#include "cli/outline.h"

#include <vector>

namespace berth::cli {
namespace {

// One pass over the text; a line is written when its value is known.
class Outliner {
 public:
  explicit Outliner(std::string_view json) : json_(json) {}

  std::string run() {
    value("", 0);
    return std::move(text_);
  }

 private:
  char peek() {
    next_ = std::min(json_.find_first_not_of(" \t\r\n", next_), json_.size());
    return next_ < json_.size() ? json_[next_] : '\0';
  }

  bool take(char wanted) {
    if (peek() != wanted) return false;
    ++next_;
    return true;
  }

  // The characters between the quotes; escapes other than quote, backslash and slash stay as they
  // are.
  std::string string() {
    std::string result;
    ++next_;
    while (next_ < json_.size() && json_[next_] != '"') {
      bool escape = json_[next_] == '\\' && next_ + 1 < json_.size();
      if (escape && std::string_view("\"\\/").contains(json_[next_ + 1])) ++next_;
      result += json_[next_++];
    }
    next_ = std::min(next_ + 1, json_.size());
    return result;
  }

  std::string word() {
    auto end = std::min(json_.find_first_of(" \t\r\n,]}", next_), json_.size());
    auto result = std::string(json_.substr(next_, end - next_));
    next_ = end;
    return result;
  }

  void line(std::string_view label, size_t depth, std::string_view rest) {
    text_ += std::string(depth * 2, ' ');
    text_ += label;
    if (!label.empty() && !rest.empty()) text_ += ' ';
    text_ += rest;
    text_ += '\n';
  }

  void value(std::string_view label, size_t depth) {
    constexpr size_t kDeepest = 64;
    char first = peek();
    if (depth > kDeepest || first == '\0') {
      next_ = json_.size();
    } else if (first == '"') {
      line(label, depth, string());
    } else if (first == '{' || first == '[') {
      nested(label, depth, first == '{');
    } else {
      line(label, depth, word());
    }
  }

  // The whole value in one line; nested ones in their brackets.
  std::string compact() {
    char first = peek();
    if (first == '"') return string();
    if (first != '{' && first != '[') return word();
    char end = first == '{' ? '}' : ']';
    ++next_;
    std::string text;
    while (!take(end) && next_ < json_.size()) {
      if (!text.empty()) text += ", ";
      if (first == '{') {
        text += string() + ": ";
        take(':');
      }
      bool opens = peek() == '{' || peek() == '[';
      char open = peek();
      auto inner = compact();
      text += opens ? open + inner + (open == '{' ? '}' : ']') : inner;
      take(',');
    }
    return text;
  }

  void nested(std::string_view label, size_t depth, bool object) {
    constexpr size_t kWidth = 110;
    auto start = next_;
    auto short_form = compact();
    if (short_form.empty()) return;
    if (!label.empty() && depth * 2 + label.size() + short_form.size() < kWidth) {
      line(label, depth, short_form);
      return;
    }
    next_ = start + 1;
    if (!label.empty()) line(label, depth, "");
    size_t inner = label.empty() ? depth : depth + 1;
    do {
      if (object) {
        peek();
        auto name = string() + ":";
        take(':');
        value(name, inner);
      } else {
        value("-", inner);
      }
    } while (take(','));
    take(object ? '}' : ']');
  }

  std::string_view json_;
  size_t next_ = 0;
  std::string text_;
};

}  // namespace

std::string outline(std::string_view json) { return Outliner(json).run(); }

}  // namespace berth::cli
