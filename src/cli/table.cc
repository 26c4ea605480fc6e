// SPDX-License-Identifier: Apache-2.0
#include "cli/table.h"

#include <algorithm>

namespace berth::cli {

std::string table(const std::vector<std::vector<std::string>>& rows) {
  constexpr size_t kLeast = 12, kGap = 3;
  std::vector<size_t> widths(rows.front().size(), kLeast);
  for (const auto& row : rows) {
    for (size_t column = 0; column < row.size(); ++column)
      widths[column] = std::max(widths[column], row[column].size() + kGap);
  }
  std::string text;
  for (const auto& row : rows) {
    for (size_t column = 0; column + 1 < row.size(); ++column)
      text += row[column] + std::string(widths[column] - row[column].size(), ' ');
    text += row.back() + '\n';
  }
  return text;
}

}  // namespace berth::cli
