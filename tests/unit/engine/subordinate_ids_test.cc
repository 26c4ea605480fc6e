// SPDX-License-Identifier: Apache-2.0
#include "engine/subordinate_ids.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

constexpr const char* kSubuid =
    "other:100000:65536\n# a remark\nguest:x:1\nguest:165536:65536\n"
    "guest:900000:10\n1001:300000:7\nempty:5:0\ncut:5";

TEST(SubordinateIds, FirstRangeByNameOrNumber) {
  using plan::IdRange;
  EXPECT_EQ(find_range(kSubuid, "guest", 1000), (IdRange{165536, 65536}));
  EXPECT_EQ(find_range(kSubuid, "", 1001), (IdRange{300000, 7}));
  EXPECT_EQ(find_range(kSubuid, "nobody", 65534), IdRange{});
  EXPECT_EQ(find_range(kSubuid, "", 65534), IdRange{});
  EXPECT_EQ(find_range(kSubuid, "empty", 65534), IdRange{});
  EXPECT_EQ(find_range(kSubuid, "cut", 65534), IdRange{});
  EXPECT_EQ(find_range("", "guest", 1000), IdRange{});
}

TEST(SubordinateIds, NameOfAUser) {
  constexpr const char* kPasswd = "root:x:0:0::/:/bin/sh\nguest:x:1000:5::/:/bin/sh\n:::\n";
  EXPECT_EQ(find_name(kPasswd, 1000), "guest");
  EXPECT_EQ(find_name(kPasswd, 5), "");
}

}  // namespace
}  // namespace berth::engine
