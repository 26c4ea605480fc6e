// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "berth/error.h"

namespace berth::json {

struct Member;

// A JSON value in a document's arena. Strings are UTF-8 without NUL; numbers keep their exact
// integer where they are one.
class Value {
 public:
  enum class Kind : unsigned char { Null, Bool, Signed, Unsigned, Double, String, Array, Object };

  Kind kind = Kind::Null;
  union {
    bool boolean;
    int64_t signed_integer = 0;  // Signed: always negative
    uint64_t unsigned_integer;   // Unsigned: zero and above
    double real;                 // anything with a point or an exponent
    struct {
      const char* data;
      size_t size;
    } string_;
    struct {
      const Value* data;
      size_t size;
    } array_;
    struct {
      const Member* data;
      size_t size;
    } object_;
  };

  std::string_view string() const { return {string_.data, string_.size}; }
  std::span<const Value> array() const { return {array_.data, array_.size}; }
  std::span<const Member> object() const;
  // The member of an object, or nullptr.
  const Value* find(std::string_view name) const;
};

struct Member {
  std::string_view name;
  Value value;
};

inline std::span<const Member> Value::object() const { return {object_.data, object_.size}; }

// "object", "string", "number", ...: for messages.
std::string_view describe(Value::Kind kind);

// A parsed text and the memory of its values.
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

struct Position {
  int line = 0;
  int column = 0;
};
// Where in the (valid) text the value of an RFC 6901 pointer begins; for messages. {0,0} when it is
// not there.
Position locate(std::string_view text, std::string_view pointer);

}  // namespace berth::json
