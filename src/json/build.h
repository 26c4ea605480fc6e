// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json/arena.h"

namespace berth::json {

// Builds the tree of a document in its arena from the parser's events, innermost values first.
// string() and object() answer false for a NUL or a duplicate key; problem() then says what and
// problem_offset() where.
class Builder {
 public:
  Builder(Document::Arena& arena, std::string_view text);

  void null();
  void boolean(bool value);
  void integer(int64_t value);
  void integer(uint64_t value);
  void real(double value);
  void part(std::string_view text) { pending_ += text; }
  // The end of a string or key, after its parts.
  bool string(std::string_view last);
  void array(size_t count);
  bool object(size_t count);
  void finish();

  const std::string& problem() const { return problem_; }
  size_t problem_offset(size_t parser_offset) const;

 private:
  // A value that has no parent yet; `offset` is where a string without escapes begins in the text,
  // for messages.
  struct Node {
    Value value;
    size_t offset = 0;
  };

  Value& push(Value::Kind kind);
  bool keys_unique(size_t count);
  bool refuse_duplicate(const Node& key);

  Document::Arena& arena_;
  std::string_view text_;
  std::vector<Node> stack_;
  std::string pending_;
  std::string problem_;
  size_t problem_offset_ = 0;
};

}  // namespace berth::json
