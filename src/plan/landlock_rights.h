// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/landlock.h>

#include <cstdint>

// The rights of linux/landlock.h, and those that Debian 12's does not have yet.
namespace berth::plan {

inline constexpr uint64_t kLandlockTruncate = uint64_t{1} << 14;     // ABI 3, Linux 6.2
inline constexpr uint64_t kLandlockIoctlDevice = uint64_t{1} << 15;  // ABI 5, Linux 6.10

// The kernel refuses any other for what is no directory.
inline constexpr uint64_t kLandlockOfFiles =
    LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |
    kLandlockTruncate | kLandlockIoctlDevice;

}  // namespace berth::plan
