// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>
#include <string_view>

#include "berth/error.h"
#include "cgroup/directory.h"

namespace berth::cgroup {

// The directory that a write goes to, or nullptr when no hierarchy has its controller. May rewrite
// the file's name.
using Locate = std::function<Directory*(plan::CgroupWrite& write)>;

// In order, those marked retry_last that the kernel calls invalid once more after the others.
Result<> write_all(std::span<const plan::CgroupWrite> writes, const Locate& locate);

// "KEY VALUE" lines (cgroup.events, memory.stat): the value, or 0.
uint64_t value_of(std::string_view text, std::string_view key);
// A file of one number; "max" and what is no number is UINT64_MAX.
uint64_t parse_number(std::string_view text);
std::string_view trimmed(std::string_view text);

}  // namespace berth::cgroup
