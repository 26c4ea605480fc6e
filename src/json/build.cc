// SPDX-License-Identifier: Apache-2.0
#include "json/build.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "core/format.h"
#include "json/write.h"

namespace berth::json {

Builder::Builder(Document::Arena& arena, std::string_view text) : arena_(arena), text_(text) {
  stack_.reserve(256);
}

Value& Builder::push(Value::Kind kind, size_t size) {
  Value& value = stack_.emplace_back();
  value.kind = kind;
  value.size_ = static_cast<uint32_t>(size);
  return value;
}

void Builder::null() { push(Value::Kind::Null); }
void Builder::boolean(bool value) { push(Value::Kind::Bool).boolean = value; }
void Builder::real(double value) { push(Value::Kind::Double).real = value; }
void Builder::integer(uint64_t value) { push(Value::Kind::Unsigned).unsigned_integer = value; }

void Builder::integer(int64_t value) {
  if (value >= 0) return integer(static_cast<uint64_t>(value));
  push(Value::Kind::Signed).signed_integer = value;
}

// The parser hands out a string without escapes as a piece of the text itself.
bool Builder::is_within(std::string_view part) const {
  return std::less_equal<>()(text_.data(), part.data()) &&
         std::less_equal<>()(part.data() + part.size(), text_.data() + text_.size());
}

bool Builder::string(std::string_view last) {
  const std::string_view whole = is_within(last) && pending_.empty() ? last : copy(last);
  push(Value::Kind::String, whole.size()).string_ = whole.data();
  if (whole.find('\0') == std::string_view::npos) return true;
  problem_ = "NUL in a string";
  return false;
}

// What has escapes in it, put together in the arena.
std::string_view Builder::copy(std::string_view last) {
  pending_ += last;
  char* copied = static_cast<char*>(arena_.memory.allocate(pending_.size() + 1, 1));
  std::memcpy(copied, pending_.data(), pending_.size());
  const std::string_view whole(copied, pending_.size());
  pending_.clear();
  return whole;
}

void Builder::array(size_t count) {
  auto* values = static_cast<Value*>(arena_.memory.allocate(count * sizeof(Value), alignof(Value)));
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::copy(first, stack_.end(), values);
  stack_.erase(first, stack_.end());
  push(Value::Kind::Array, count).array_ = values;
}

bool Builder::object(size_t count) {
  if (!keys_unique(count)) return false;
  auto* members =
      static_cast<Member*>(arena_.memory.allocate(count * sizeof(Member), alignof(Member)));
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(2 * count);
  for (size_t i = 0; i < count; ++i) {
    const Value* pair = &*first + 2 * i;
    new (members + i) Member{pair[0].string(), pair[1]};
  }
  stack_.erase(first, stack_.end());
  push(Value::Kind::Object, count).object_ = members;
  return true;
}

bool Builder::refuse_duplicate(const Value& key) {
  const std::string_view text = key.string();
  problem_ = formatted("duplicate key {}", quoted(text));
  problem_offset_ = is_within(text) ? static_cast<size_t>(text.data() - text_.data()) : 0;
  return false;
}

bool Builder::keys_unique(size_t count) {
  const Value* values = stack_.data() + (stack_.size() - 2 * count);
  const auto key = [values](size_t index) { return values[2 * index].string(); };
  size_t ordered = 1;  // most that are long were written in order
  while (ordered < count && key(ordered - 1) < key(ordered)) ++ordered;
  if (ordered >= count) return true;
  if (count <= 12) {
    for (size_t i = 1; i < count; ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (key(i) == key(j)) return refuse_duplicate(values[2 * i]);
      }
    }
    return true;
  }
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [key](uint32_t a, uint32_t b) {
    const int difference = key(a).compare(key(b));
    return difference != 0 ? difference < 0 : a < b;
  });
  for (size_t i = 1; i < count; ++i) {
    if (key(order[i]) == key(order[i - 1])) return refuse_duplicate(values[2 * size_t{order[i]}]);
  }
  return true;
}

size_t Builder::problem_offset(size_t parser_offset) const {
  // From the first character of the key back to its quote.
  return problem_offset_ > 0 ? problem_offset_ - 1 : parser_offset;
}

void Builder::finish() {
  if (!stack_.empty()) arena_.root = stack_.back();
}

}  // namespace berth::json
