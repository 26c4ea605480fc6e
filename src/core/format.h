// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/core.h>

#include <string>
#include <utility>

namespace berth {

// fmt's formatting, instantiated once in format.cc: the heavy header is read by no other file.
std::string vformat(fmt::string_view text, fmt::format_args args);

template <typename... Args>
std::string formatted(fmt::format_string<Args...> text, Args&&... args) {
  return berth::vformat(text, fmt::make_format_args(args...));
}

}  // namespace berth
