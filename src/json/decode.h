// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "berth/error.h"
#include "berth/try.h"
#include "json/value.h"
#include "json/write.h"

// Structs from JSON and back by tables: one line a field, the same line for both directions. A
// struct T takes part by a function `std::span<const json::Field> fields(const T*)` in its
// namespace, an enum by `std::span<const json::Name> names(const T*)`.
namespace berth::json {

// A member that no table has.
struct UnknownMember {
  std::string pointer = {};
  std::string nearest = {};  // the known name that was probably meant, or empty
  bool differs_in_case_only = false;
};

// Where a decoder is: a chain on the stack, so that an RFC 6901 pointer is made only when something
// is wrong.
struct Place {
  const Place* up = nullptr;
  std::string_view name = {};  // of the member; without data: an element of an array
  size_t index = 0;
  // In the outermost: gets the members that no table has, which then are no error in any case.
  std::vector<UnknownMember>* unknown = nullptr;
  bool brief = false;  // in the outermost: what is long and has no effect need not be kept
};
std::string pointer_of(const Place& place);

enum class Presence : unsigned char {
  Optional,  // left out by the writer when it has its default
  Kept,      // always written
  Required,  // always written, and an error when missing
};

struct Field {
  std::string_view name;
  Presence presence;
  Result<> (*read)(const Value& value, void* object, const Place& place);
  void (*write)(Writer& writer, const Field& field, const void* object);  // the key too
};

struct Name {
  std::string_view text;
  int value;
};

// "expected string, found number" at the place.
[[gnu::cold]] std::unexpected<Error> mismatch(const Place& place, std::string_view expected,
                                              const Value& found);
// Any other complaint about the value at the place.
[[gnu::cold]] std::unexpected<Error> refuse(const Place& place, std::string text);

// A member that no field has is ignored, unless it differs from one in case only.
Result<> read_object(const Value& value, std::span<const Field> fields, void* object,
                     const Place& place);
void write_object(Writer& writer, std::span<const Field> fields, const void* object);

Result<> read_bool(const Value& value, bool& into, const Place& place);
Result<> read_string(const Value& value, std::string& into, const Place& place);
Result<int64_t> read_signed(const Value& value, int64_t minimum, int64_t maximum,
                            const Place& place);
Result<uint64_t> read_unsigned(const Value& value, uint64_t maximum, const Place& place);
Result<int> read_name(const Value& value, std::span<const Name> names, const Place& place);
std::string_view name_of(int value, std::span<const Name> names);

using StringPairs = std::vector<std::pair<std::string, std::string>>;
Result<> read_strings(const Value& value, StringPairs& into, const Place& place);

namespace detail {
template <typename T>
inline constexpr bool kIsOptional = false;
template <typename T>
inline constexpr bool kIsOptional<std::optional<T>> = true;
template <typename T>
inline constexpr bool kIsVector = false;
template <typename T>
inline constexpr bool kIsVector<std::vector<T>> = true;
}  // namespace detail

template <typename T>
Result<> read_value(const Value& value, T& into, const Place& place);

template <typename T>
Result<> read_elements(const Value& value, std::vector<T>& into, const Place& place) {
  if (value.kind != Value::Kind::Array) return mismatch(place, "array", value);
  into.reserve(value.array().size());
  for (size_t i = 0; i < value.array().size(); ++i) {
    TRY(read_value(value.array()[i], into.emplace_back(), Place{.up = &place, .index = i}));
  }
  return {};
}

template <typename T>
Result<> read_value(const Value& value, T& into, const Place& place) {
  if constexpr (std::same_as<T, bool>) {
    return read_bool(value, into, place);
  } else if constexpr (std::same_as<T, std::string>) {
    return read_string(value, into, place);
  } else if constexpr (std::is_enum_v<T>) {
    into = static_cast<T>(TRY(read_name(value, names(static_cast<const T*>(nullptr)), place)));
    return {};
  } else if constexpr (std::signed_integral<T>) {
    using Limits = std::numeric_limits<T>;
    into = static_cast<T>(TRY(read_signed(value, Limits::min(), Limits::max(), place)));
    return {};
  } else if constexpr (std::unsigned_integral<T>) {
    into = static_cast<T>(TRY(read_unsigned(value, std::numeric_limits<T>::max(), place)));
    return {};
  } else if constexpr (detail::kIsOptional<T>) {
    return read_value(value, into.emplace(), place);
  } else if constexpr (std::same_as<T, StringPairs>) {
    return read_strings(value, into, place);
  } else if constexpr (detail::kIsVector<T>) {
    return read_elements(value, into, place);
  } else {
    return read_object(value, fields(static_cast<const T*>(nullptr)), &into, place);
  }
}

template <typename T>
void write_value(Writer& writer, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    writer.boolean(value);
  } else if constexpr (std::same_as<T, std::string>) {
    writer.string(value);
  } else if constexpr (std::is_enum_v<T>) {
    writer.string(name_of(static_cast<int>(value), names(static_cast<const T*>(nullptr))));
  } else if constexpr (std::integral<T>) {
    writer.number(value);
  } else if constexpr (detail::kIsOptional<T>) {
    write_value(writer, *value);
  } else if constexpr (std::same_as<T, StringPairs>) {
    writer.begin_object();
    for (const auto& [key, text] : value) writer.member(key, std::string_view(text));
    writer.end();
  } else if constexpr (detail::kIsVector<T>) {
    writer.begin_array();
    for (const auto& element : value) write_value(writer, element);
    writer.end();
  } else {
    write_object(writer, fields(static_cast<const T*>(nullptr)), &value);
  }
}

template <typename T>
bool is_default(const T& value) {
  if constexpr (detail::kIsOptional<T>)
    return !value.has_value();
  else if constexpr (requires { value.empty(); })
    return value.empty();
  else
    return value == T{};
}

namespace detail {
template <typename Object, typename T>
Object object_of(T Object::*);
}  // namespace detail

// field<&Root::path>("path", Presence::Required)
template <auto kMember>
constexpr Field field(std::string_view name, Presence presence = Presence::Optional) {
  using Object = decltype(detail::object_of(kMember));
  return {
      name, presence,
      [](const Value& value, void* object, const Place& place) {
        return read_value(value, static_cast<Object*>(object)->*kMember, place);
      },
      [](Writer& writer, const Field& self, const void* object) {
        const auto& value = static_cast<const Object*>(object)->*kMember;
        using T = std::remove_cvref_t<decltype(value)>;
        if (is_default(value) && (self.presence == Presence::Optional || detail::kIsOptional<T>))
          return;
        writer.key(self.name);
        write_value(writer, value);
      }};
}

// An object whose member names are a field of each element: keyed<&Linux::net_devices,
// &NetDevice::host_name>("netDevices").
template <auto kMember, auto kKey>
constexpr Field keyed(std::string_view name) {
  using Object = decltype(detail::object_of(kMember));
  using Element = decltype(detail::object_of(kKey));
  return {name, Presence::Optional,
          [](const Value& value, void* object, const Place& place) -> Result<> {
            if (value.kind != Value::Kind::Object) return mismatch(place, "object", value);
            for (const Member& member : value.object()) {
              Element& element = (static_cast<Object*>(object)->*kMember).emplace_back();
              element.*kKey = member.name;
              TRY(read_value(member.value, element, Place{.up = &place, .name = member.name}));
            }
            return {};
          },
          [](Writer& writer, const Field& self, const void* object) {
            const auto& elements = static_cast<const Object*>(object)->*kMember;
            if (elements.empty()) return;
            writer.key(self.name).begin_object();
            for (const Element& element : elements) {
              writer.key(element.*kKey);
              write_value(writer, element);
            }
            writer.end();
          }};
}

// A char (or an optional one) that is written as one of the names: named<&Device::type,
// kDeviceTypes>("type").
template <auto kMember, const auto& kNames>
constexpr Field named(std::string_view name, Presence presence = Presence::Optional) {
  using Object = decltype(detail::object_of(kMember));
  return {name, presence,
          [](const Value& value, void* object, const Place& place) -> Result<> {
            static_cast<Object*>(object)->*kMember =
                static_cast<char>(TRY(read_name(value, kNames, place)));
            return {};
          },
          [](Writer& writer, const Field& self, const void* object) {
            const std::optional<char> value = static_cast<const Object*>(object)->*kMember;
            if (value) writer.member(self.name, name_of(*value, kNames));
          }};
}

// A member that the schema has and this program has no use for (another platform's object): any
// value.
constexpr Field ignored(std::string_view name) {
  return {name, Presence::Optional,
          [](const Value&, void*, const Place&) -> Result<> { return {}; },
          [](Writer&, const Field&, const void*) {}};
}

}  // namespace berth::json
