// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <utility>

namespace berth {

// For TRY. Cold: what leads here is kept apart from what runs when all goes well.
template <typename T, typename E>
[[gnu::cold, gnu::noinline]] std::unexpected<E> error_of(std::expected<T, E>&& result) {
  return std::unexpected(std::move(result).error());
}

}  // namespace berth

// The value of a Result, or the enclosing function returns its error. Works for Result<> too, and
// for any std::expected.
#define TRY(expression) BERTH_TRY_AS(expression, __COUNTER__)
#define BERTH_TRY_AS(expression, number) BERTH_TRY_NAMED(expression, number)
#define BERTH_TRY_NAMED(expression, number)                                             \
  __extension__({                                                                       \
    auto try_result_##number = (expression);                                            \
    if (!try_result_##number) return ::berth::error_of(std::move(try_result_##number)); \
    *std::move(try_result_##number);                                                    \
  })
