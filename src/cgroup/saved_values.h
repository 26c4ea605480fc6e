// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "cgroup/writes.h"
#include "plan/plan.h"

namespace berth::cgroup {

// CgroupManager::save.
Result<std::vector<plan::CgroupWrite>> save_values(std::span<const plan::CgroupWrite> writes,
                                                   const Locate& locate);

// What to write to `file`, whose text is `now`, so that a write of `value` is undone. nullopt:
// nothing does.
std::optional<std::string> undoing_value(std::string_view file, std::string_view value,
                                         std::string_view now);

}  // namespace berth::cgroup
