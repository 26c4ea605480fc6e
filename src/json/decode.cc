// SPDX-License-Identifier: Apache-2.0
#include "json/decode.h"

#include <algorithm>

#include "core/format.h"
#include "core/nearest.h"

namespace berth::json {
namespace {

void append_token(std::string& pointer, const Place& place) {
  if (place.name.data() == nullptr) {
    pointer += '/' + std::to_string(place.index);
    return;
  }
  pointer += '/';
  for (const char c : place.name) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

void append_pointer(std::string& pointer, const Place& place) {
  if (place.up == nullptr) return;
  append_pointer(pointer, *place.up);
  append_token(pointer, place);
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool equal_but_for_case(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, {}, lower, lower);
}

UnknownMember describe_unknown(const Member& member, std::span<const Field> fields,
                               const Place& place) {
  std::vector<std::string_view> names;
  for (const Field& field : fields) names.push_back(field.name);
  const std::string_view meant = nearest(member.name, names);
  return {.pointer = pointer_of(place),
          .nearest = std::string(meant),
          .differs_in_case_only = equal_but_for_case(member.name, meant)};
}

Result<> meet_unknown(const Member& member, std::span<const Field> fields, const Place& place) {
  const Place* root = &place;
  while (root->up != nullptr) root = root->up;
  if (root->unknown != nullptr) {
    root->unknown->push_back(describe_unknown(member, fields, place));
    return {};
  }
  for (const Field& field : fields) {
    if (equal_but_for_case(member.name, field.name)) {
      return refuse(place, formatted("unknown member {}: did you mean {}?", quoted(member.name),
                                     quoted(field.name)));
    }
  }
  return {};
}

std::string number_text(const Value& value) {
  if (value.kind == Value::Kind::Signed) return std::to_string(value.signed_integer);
  if (value.kind == Value::Kind::Unsigned) return std::to_string(value.unsigned_integer);
  return formatted("{}", value.real);
}

bool is_integer(const Value& value) {
  return value.kind == Value::Kind::Signed || value.kind == Value::Kind::Unsigned;
}

}  // namespace

std::string pointer_of(const Place& place) {
  std::string pointer;
  append_pointer(pointer, place);
  return pointer;
}

std::unexpected<Error> refuse(const Place& place, std::string text) {
  Error error(ErrorKind::InvalidConfig, std::move(text));
  error.set_pointer(pointer_of(place));
  return std::unexpected(std::move(error));
}

std::unexpected<Error> mismatch(const Place& place, std::string_view expected, const Value& found) {
  return refuse(place, formatted("expected {}, found {}", expected, describe(found.kind)));
}

Result<> read_object(const Value& value, std::span<const Field> fields, void* object,
                     const Place& place) {
  if (value.kind != Value::Kind::Object) return mismatch(place, "object", value);
  uint64_t seen = 0;
  for (const Member& member : value.object()) {
    const Place inner{.up = &place, .name = member.name};
    const auto field = std::ranges::find(fields, member.name, &Field::name);
    if (field == fields.end()) {
      TRY(meet_unknown(member, fields, inner));
    } else {
      seen |= uint64_t{1} << (field - fields.begin());
      TRY(field->read(member.value, object, inner));
    }
  }
  for (size_t i = 0; i < fields.size(); ++i) {
    if (fields[i].presence != Presence::Required || (seen >> i & 1) != 0) continue;
    return refuse(Place{.up = &place, .name = fields[i].name}, "required, but missing");
  }
  return {};
}

void write_object(Writer& writer, std::span<const Field> fields, const void* object) {
  writer.begin_object();
  for (const Field& field : fields) field.write(writer, field, object);
  writer.end();
}

Result<> read_bool(const Value& value, bool& into, const Place& place) {
  if (value.kind != Value::Kind::Bool) return mismatch(place, "boolean", value);
  into = value.boolean;
  return {};
}

Result<> read_string(const Value& value, std::string& into, const Place& place) {
  if (value.kind != Value::Kind::String) return mismatch(place, "string", value);
  into = value.string();
  return {};
}

Result<int64_t> read_signed(const Value& value, int64_t minimum, int64_t maximum,
                            const Place& place) {
  if (!is_integer(value) && value.kind != Value::Kind::Double)
    return mismatch(place, "integer", value);
  if (value.kind == Value::Kind::Signed && value.signed_integer >= minimum)
    return value.signed_integer;
  if (value.kind == Value::Kind::Unsigned &&
      value.unsigned_integer <= static_cast<uint64_t>(maximum)) {
    return static_cast<int64_t>(value.unsigned_integer);
  }
  return refuse(place, formatted("expected integer from {} to {}, found {}", minimum, maximum,
                                 number_text(value)));
}

Result<uint64_t> read_unsigned(const Value& value, uint64_t maximum, const Place& place) {
  if (!is_integer(value) && value.kind != Value::Kind::Double)
    return mismatch(place, "integer", value);
  if (value.kind == Value::Kind::Unsigned && value.unsigned_integer <= maximum)
    return value.unsigned_integer;
  return refuse(place,
                formatted("expected integer from 0 to {}, found {}", maximum, number_text(value)));
}

Result<int> read_name(const Value& value, std::span<const Name> names, const Place& place) {
  if (value.kind != Value::Kind::String) return mismatch(place, "string", value);
  const auto name = std::ranges::find(names, value.string(), &Name::text);
  if (name == names.end())
    return refuse(place, formatted("unknown value {}", quoted(value.string())));
  return name->value;
}

std::string_view name_of(int value, std::span<const Name> names) {
  const auto name = std::ranges::find(names, value, &Name::value);
  return name == names.end() ? std::string_view() : name->text;
}

Result<> read_strings(const Value& value, StringPairs& into, const Place& place) {
  if (value.kind != Value::Kind::Object) return mismatch(place, "object", value);
  into.reserve(value.object().size());
  for (const Member& member : value.object()) {
    auto& [key, text] = into.emplace_back(std::string(member.name), std::string());
    TRY(read_string(member.value, text, Place{.up = &place, .name = member.name}));
  }
  return {};
}

}  // namespace berth::json
