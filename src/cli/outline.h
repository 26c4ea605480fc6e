// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

namespace berth::cli {

// JSON as an indented outline for people: "name: value" lines, a dash before each element of a
// list, empty lists and objects left out. The text must be valid JSON; of other text the result is
// whatever could be read.
std::string outline(std::string_view json);

}  // namespace berth::cli
