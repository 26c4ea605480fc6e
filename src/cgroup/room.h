// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "berth/error.h"
#include "cgroup/directory.h"

namespace berth::cgroup {

// v2: room for a memory.max below the usage. The kernel takes any, and kills until it holds; so
// what can be reclaimed is reclaimed before, while memory.high keeps the processes from taking it
// again. memory.high has its own value back when the object goes, which must be after memory.max
// was written.
class Room {
 public:
  explicit Room(const Directory& directory) : directory_(directory) {}
  ~Room();
  Room(const Room&) = delete;
  Room& operator=(const Room&) = delete;

  // Fails (WrongState) with the usage when it stays above the limit.
  Result<> make(const plan::CgroupWrite& write);

 private:
  Result<> lower_high(uint64_t limit);
  const Directory& directory_;
  std::optional<std::string> high_ = {};  // as it was
};

// "64M", "67108864" or "max", as the kernel takes them: bytes, UINT64_MAX for no limit. nullopt:
// the kernel will say what is wrong with it.
std::optional<uint64_t> memory_bytes(std::string_view text);

}  // namespace berth::cgroup
