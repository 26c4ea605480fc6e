// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>

namespace berth::os {

// makedev(3) as a constant: the library's is a call, which would need a static constructor.
constexpr dev_t device_number(uint32_t major, uint32_t minor) {
  return (static_cast<dev_t>(major & 0xfffff000U) << 32) |
         (static_cast<dev_t>(major & 0xfffU) << 8) |
         (static_cast<dev_t>(minor & 0xffffff00U) << 12) | (minor & 0xffU);
}

}  // namespace berth::os
