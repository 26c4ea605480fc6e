// SPDX-License-Identifier: Apache-2.0
#include "os/device.h"

#include <gtest/gtest.h>
#include <sys/sysmacros.h>

namespace berth::os {
namespace {

TEST(DeviceNumber, IsTheOneOfTheLibrary) {
  for (const uint32_t major : {0U, 1U, 5U, 136U, 0xfffU, 0x1000U, 0xffffffffU}) {
    for (const uint32_t minor : {0U, 2U, 0xffU, 0x100U, 0x12345U, 0xffffffffU})
      EXPECT_EQ(device_number(major, minor), makedev(major, minor)) << major << ":" << minor;
  }
}

}  // namespace
}  // namespace berth::os
