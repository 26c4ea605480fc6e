// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "berth/stats.h"
#include "cgroup/directory.h"

namespace berth::cgroup {

// The directory of a controller, or nullptr.
using DirectoryOf = std::function<const Directory*(std::string_view controller)>;

// unified: of a hybrid host, else nullptr. It has the pressure, and maybe controllers.
[[gnu::cold]] Result<Stats> stats_v1(const DirectoryOf& directory_of, const Directory* unified);
[[gnu::cold]] Result<Stats> stats_v2(const Directory& directory);
// "hugetlb.2MB.current": the page sizes found by their files' last part.
std::vector<std::string> hugepage_sizes(const Directory& directory, std::string_view last_part);

}  // namespace berth::cgroup
