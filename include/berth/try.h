// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <utility>

// The value of a Result, or the enclosing function returns its error. Works for Result<> too, and
// for any std::expected.
#define TRY(expression) BERTH_TRY_AS(expression, __COUNTER__)
#define BERTH_TRY_AS(expression, number) BERTH_TRY_NAMED(expression, number)
#define BERTH_TRY_NAMED(expression, number)                           \
  __extension__({                                                     \
    auto try_result_##number = (expression);                          \
    if (!try_result_##number) [[unlikely]]                            \
      return std::unexpected(std::move(try_result_##number).error()); \
    *std::move(try_result_##number);                                  \
  })
