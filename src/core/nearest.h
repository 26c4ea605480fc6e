// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace berth {

// The word that was probably meant: at most one letter in three is wrong, missing, too many or
// changed with its neighbour, whatever the case. Empty: none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

}  // namespace berth
