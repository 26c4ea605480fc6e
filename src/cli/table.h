// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace berth::cli {

// Columns of at least twelve characters with three blanks between them, as the field's tools print.
// All rows have as many columns as the first.
std::string table(const std::vector<std::vector<std::string>>& rows);

}  // namespace berth::cli
