// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "berth/error.h"
#include "core/format.h"

namespace berth {

// result | context("open {}", path): says on failure what was being done. The text is made only
// then.
template <typename... Args>
struct Context {
  fmt::format_string<const Args&...> text;
  std::tuple<const Args&...> args;
};

template <typename... Args>
Context<Args...> context(fmt::format_string<const Args&...> text, const Args&... args) {
  return {text, std::tuple<const Args&...>(args...)};
}

template <typename... Args>
[[gnu::cold]] void add_context(Error& error, const Context<Args...>& context) {
  error.add_context(std::apply(
      [&](const Args&... args) { return formatted(context.text, args...); }, context.args));
}

template <typename T, typename... Args>
Result<T> operator|(Result<T>&& result, const Context<Args...>& context) {
  if (!result) add_context(result.error(), context);
  return std::move(result);
}

// result | at("/mounts/3"): the place in config.json that asked for what failed.
struct At {
  std::string_view pointer;
};
inline At at(std::string_view pointer) { return {pointer}; }

template <typename T>
Result<T> operator|(Result<T>&& result, At place) {
  if (!result) result.error().set_pointer(place.pointer);
  return std::move(result);
}

// return fail(ErrorKind::WrongState, "container {} is {}", id, status);
template <typename... Args>
[[gnu::cold]] std::unexpected<Error> fail(ErrorKind kind, fmt::format_string<const Args&...> text,
                                          const Args&... args) {
  return std::unexpected(Error(kind, formatted(text, args...)));
}

// return system_error(errno, "open {}", path);
template <typename... Args>
[[gnu::cold]] std::unexpected<Error> system_error(int errno_value,
                                                  fmt::format_string<const Args&...> text,
                                                  const Args&... args) {
  return std::unexpected(Error::system(errno_value, formatted(text, args...)));
}

}  // namespace berth
