// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace berth::engine {

// Nanoseconds since 1970.
int64_t now_ns();
// RFC 3339, UTC, with nanoseconds.
std::string utc_text(int64_t nanoseconds);

}  // namespace berth::engine
