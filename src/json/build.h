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
  Value& push(Value::Kind kind, size_t size = 0);
  bool is_within(std::string_view part) const;
  std::string_view copy(std::string_view last);
  bool keys_unique(size_t count);
  bool refuse_duplicate(const Value& key);

  Document::Arena& arena_;
  std::string_view text_;
  std::vector<Value> stack_;  // those that have no parent yet
  std::string pending_;
  std::string problem_;
  size_t problem_offset_ = 0;
};

}  // namespace berth::json
