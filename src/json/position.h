// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "json/value.h"

namespace berth::json {

// Line and column (in bytes), both from 1, of an offset.
Position position_of(std::string_view text, size_t offset);

}  // namespace berth::json
