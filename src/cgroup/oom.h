// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "berth/events.h"
#include "plan/plan.h"

// Who was killed for want of memory, and whose limit it was.
namespace berth::cgroup {

// What one cgroup tells of its limit.
struct OomLevel {
  OomLimit place = OomLimit::Unknown;
  std::string path = {};
  // How often it was met: v2: with nothing left to reclaim ("oom" of memory.events.local); v1: at
  // all (failcnt, which newer kernels leave at 0).
  uint64_t hits = 0;
  bool was_full = false;  // v1: its peak is its limit
};

struct OomCounts {
  uint64_t kills = 0;                 // in the container's cgroup and all below it
  std::vector<OomLevel> levels = {};  // the container's, those inside, those above, nearest first
  bool complete =
      false;  // v2: every cgroup above is in sight, so that what no limit did, the machine did
};

// What the kernel's log says of a kill: "oom-kill:constraint=...,task=...,pid=...".
struct OomDeath {
  bool by_cgroup = false;    // else the machine (or a set of memory nodes) was out of memory
  std::string limited = {};  // the cgroup whose limit it was
  OomVictim victim = {};
};

// Where memory is counted, or nullptr.
const plan::CgroupPlace* memory_place(std::span<const plan::CgroupPlace> places);

Result<OomCounts> count_oom(const plan::CgroupPlace& place);

std::optional<OomDeath> parse_oom_death(std::string_view message);
// Those of the cgroup at `path` and below it.
std::vector<OomDeath> deaths_in(std::span<const std::string> messages, std::string_view path);

// What happened between two counts. Without the first one of them the levels above tell nothing:
// theirs began before the container. `path`: of the container's cgroup.
OutOfMemory attribute_oom(const OomCounts* before, const OomCounts& after,
                          std::span<const OomDeath> deaths, std::string_view path);

}  // namespace berth::cgroup
