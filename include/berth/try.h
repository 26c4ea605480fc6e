// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <expected>
#include <utility>

// The value of a Result, or the enclosing function returns its error. Works for Result<> too, and for any std::expected.
#define TRY(expression)                                                            \
  __extension__({                                                                  \
    auto try_result_ = (expression);                                               \
    if (!try_result_) [[unlikely]]                                                 \
      return std::unexpected(std::move(try_result_).error());                      \
    *std::move(try_result_);                                                       \
  })
