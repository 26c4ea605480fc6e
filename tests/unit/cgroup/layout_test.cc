// SPDX-License-Identifier: Apache-2.0
#include "cgroup/layout.h"

#include <gtest/gtest.h>

namespace berth::cgroup {
namespace {

TEST(CgroupLayout, ParsesMemberships) {
  const auto found = parse_memberships("9:name=systemd:/\n4:cpu,cpuacct:/a:b\n0::/c\n");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].controllers, std::vector<std::string>{"name=systemd"});
  EXPECT_EQ(found[1].controllers, (std::vector<std::string>{"cpu", "cpuacct"}));
  EXPECT_EQ(found[1].path, "/a:b");
  EXPECT_TRUE(found[2].controllers.empty());
  EXPECT_EQ(found[2].path, "/c");
}

TEST(CgroupLayout, TakesTheMountsRootAway) {
  EXPECT_EQ(below_root("/docker/x", "/docker/x"), "/");
  EXPECT_EQ(below_root("/docker/x/y", "/docker/x"), "/y");
  EXPECT_EQ(below_root("/docker/xy", "/docker/x"), "/");
  EXPECT_EQ(below_root("/other", "/docker/x"), "/");
  EXPECT_EQ(below_root("/a", "/"), "/a");
}

}  // namespace
}  // namespace berth::cgroup
