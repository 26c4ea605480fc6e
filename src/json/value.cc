// SPDX-License-Identifier: Apache-2.0
#include "json/value.h"

#include "json/arena.h"

namespace berth::json {

const Value* Value::find(std::string_view name) const {
  if (kind != Kind::Object) return nullptr;
  for (const Member& member : object()) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::string_view describe(Value::Kind kind) {
  switch (kind) {
    case Value::Kind::Null: return "null";
    case Value::Kind::Bool: return "boolean";
    case Value::Kind::Signed:
    case Value::Kind::Unsigned:
    case Value::Kind::Double: return "number";
    case Value::Kind::String: return "string";
    case Value::Kind::Array: return "array";
    case Value::Kind::Object: return "object";
  }
  return "value";
}

Document::Document(std::unique_ptr<Arena> arena) : arena_(std::move(arena)) {}
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;
Document::~Document() = default;

const Value& Document::root() const { return arena_->root; }

}  // namespace berth::json
