// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "core/context.h"
#include "engine/record.h"
#include "json/value.h"
#include "json/write.h"

namespace berth::engine {

// The record is our own text, but a disk may damage it: every access is checked.
class RecordReader {
 public:
  explicit RecordReader(const json::Value& object) : object_(object) {}

  Result<std::string> string(std::string_view name) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != json::Value::Kind::String) return wrong(name);
    return std::string(value->string());
  }
  Result<uint64_t> number(std::string_view name, uint64_t limit) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != json::Value::Kind::Unsigned ||
        value->unsigned_integer > limit)
      return wrong(name);
    return value->unsigned_integer;
  }
  Result<bool> boolean(std::string_view name) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != json::Value::Kind::Bool) return wrong(name);
    return value->boolean;
  }
  Result<const json::Value*> child(std::string_view name, json::Value::Kind kind) const {
    const json::Value* value = object_.find(name);
    if (value == nullptr || value->kind != kind) return wrong(name);
    return value;
  }

 private:
  static std::unexpected<Error> wrong(std::string_view name) {
    return fail(ErrorKind::InvalidUse, "state.json: {} is missing or not what it should be", name);
  }
  const json::Value& object_;
};

// record_network.cc: what the container was given of the host's network.
void write_network(json::Writer& writer, const Record& record);
Result<> read_network(const json::Value& root, Record& record);

// record_mounts.cc: what was mounted while it ran.
void write_mounts(json::Writer& writer, const Record& record);
Result<> read_mounts(const json::Value& root, Record& record);

}  // namespace berth::engine
