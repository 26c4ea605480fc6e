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

Value& Builder::push(Value::Kind kind) {
  stack_.emplace_back().value.kind = kind;
  return stack_.back().value;
}

void Builder::null() { push(Value::Kind::Null); }
void Builder::boolean(bool value) { push(Value::Kind::Bool).boolean = value; }
void Builder::real(double value) { push(Value::Kind::Double).real = value; }
void Builder::integer(uint64_t value) { push(Value::Kind::Unsigned).unsigned_integer = value; }

void Builder::integer(int64_t value) {
  if (value >= 0) return integer(static_cast<uint64_t>(value));
  push(Value::Kind::Signed).signed_integer = value;
}

bool Builder::string(std::string_view last) {
  const size_t size = pending_.size() + last.size();
  char* copy = static_cast<char*>(arena_.memory.allocate(size + 1, 1));
  if (!pending_.empty()) std::memcpy(copy, pending_.data(), pending_.size());
  if (!last.empty()) std::memcpy(copy + pending_.size(), last.data(), last.size());
  pending_.clear();
  push(Value::Kind::String).string_ = {copy, size};
  // The parser hands out a string without escapes as a piece of the text itself.
  const bool within = std::less_equal<>()(text_.data(), last.data()) &&
                      std::less_equal<>()(last.data() + last.size(), text_.data() + text_.size());
  if (within) stack_.back().offset = static_cast<size_t>(last.data() - text_.data());
  if (size == 0 || std::memchr(copy, '\0', size) == nullptr) return true;
  problem_ = "NUL in a string";
  return false;
}

void Builder::array(size_t count) {
  auto* values = static_cast<Value*>(arena_.memory.allocate(count * sizeof(Value), alignof(Value)));
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
  std::transform(first, stack_.end(), values, [](const Node& node) { return node.value; });
  stack_.erase(first, stack_.end());
  push(Value::Kind::Array).array_ = {values, count};
}

bool Builder::object(size_t count) {
  if (!keys_unique(count)) return false;
  auto* members =
      static_cast<Member*>(arena_.memory.allocate(count * sizeof(Member), alignof(Member)));
  const auto first = stack_.end() - static_cast<std::ptrdiff_t>(2 * count);
  for (size_t i = 0; i < count; ++i) {
    new (members + i) Member{first[2 * static_cast<std::ptrdiff_t>(i)].value.string(),
                             first[2 * static_cast<std::ptrdiff_t>(i) + 1].value};
  }
  stack_.erase(first, stack_.end());
  push(Value::Kind::Object).object_ = {members, count};
  return true;
}

bool Builder::refuse_duplicate(const Node& key) {
  problem_ = formatted("duplicate key {}", quoted(key.value.string()));
  problem_offset_ = key.offset;
  return false;
}

bool Builder::keys_unique(size_t count) {
  const Node* nodes = stack_.data() + (stack_.size() - 2 * count);
  if (count <= 12) {
    for (size_t i = 1; i < count; ++i) {
      for (size_t j = 0; j < i; ++j) {
        if (nodes[2 * i].value.string() == nodes[2 * j].value.string())
          return refuse_duplicate(nodes[2 * i]);
      }
    }
    return true;
  }
  std::vector<uint32_t> order(count);
  std::iota(order.begin(), order.end(), 0U);
  std::sort(order.begin(), order.end(), [nodes](uint32_t a, uint32_t b) {
    const int difference =
        nodes[2 * size_t{a}].value.string().compare(nodes[2 * size_t{b}].value.string());
    return difference != 0 ? difference < 0 : a < b;
  });
  for (size_t i = 1; i < count; ++i) {
    const Node& key = nodes[2 * size_t{order[i]}];
    if (key.value.string() == nodes[2 * size_t{order[i - 1]}].value.string())
      return refuse_duplicate(key);
  }
  return true;
}

size_t Builder::problem_offset(size_t parser_offset) const {
  // From the first character of the key back to its quote.
  return problem_offset_ > 0 ? problem_offset_ - 1 : parser_offset;
}

void Builder::finish() {
  if (!stack_.empty()) arena_.root = stack_.back().value;
}

}  // namespace berth::json
