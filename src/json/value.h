// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "berth/error.h"

namespace berth::json {

struct Member;

// A JSON value in a document's arena, small because there are many. Strings are UTF-8 without NUL;
// numbers keep their exact integer where they are one.
class Value {
 public:
  enum class Kind : unsigned char { Null, Bool, Signed, Unsigned, Double, String, Array, Object };

  Kind kind = Kind::Null;
  uint32_t size_ = 0;  // of what the pointers point to; a text has 64 MiB at most
  union {
    bool boolean;
    int64_t signed_integer = 0;  // Signed: always negative
    uint64_t unsigned_integer;   // Unsigned: zero and above
    double real;                 // anything with a point or an exponent
    const char* string_;
    const Value* array_;
    const Member* object_;
  };

  std::string_view string() const { return {string_, size_}; }
  std::span<const Value> array() const { return {array_, size_}; }
  std::span<const Member> object() const;
  // The member of an object, or nullptr.
  const Value* find(std::string_view name) const;
};

struct Member {
  std::string_view name;
  Value value;
};

inline std::span<const Member> Value::object() const { return {object_, size_}; }

// "object", "string", "number", ...: for messages.
std::string_view describe(Value::Kind kind);

// The values of a parsed text, which it points into: the text must outlive it.
class Document {
 public:
  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

  const Value& root() const;

  struct Arena;  // json/arena.h

 private:
  explicit Document(std::unique_ptr<Arena> arena);
  std::unique_ptr<Arena> arena_;
  friend Result<Document> parse(std::string_view text);
};

// RFC 8259, strictly: one value, UTF-8 checked, no NUL, no duplicate keys, 64 levels. Fails with
// InvalidConfig and the place as "line:column" (1-based) in the message.
Result<Document> parse(std::string_view text);
// A text that is gone at once.
template <std::same_as<std::string> Text>
Result<Document> parse(Text&& text) = delete;

struct Position {
  int line = 0;
  int column = 0;
};
// Where in the (valid) text the value of an RFC 6901 pointer begins; for messages. {0,0} when it is
// not there.
Position locate(std::string_view text, std::string_view pointer);

}  // namespace berth::json
