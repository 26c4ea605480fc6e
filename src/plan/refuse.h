// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "core/context.h"

namespace berth::plan {

// return refuse("/process/scheduler", ErrorKind::Unsupported, "policy {} ...", policy): with the
// place that asked for it.
template <typename... Args>
[[gnu::cold]] std::unexpected<Error> refuse(std::string_view pointer, ErrorKind kind,
                                            fmt::format_string<const Args&...> text,
                                            const Args&... args) {
  Error error(kind, formatted(text, args...));
  error.set_pointer(pointer);
  return std::unexpected(std::move(error));
}

}  // namespace berth::plan
