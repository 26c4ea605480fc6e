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

TEST(CgroupLayout, ParsesMountinfo) {
  const auto found = parse_cgroup_mounts(
      "22 1 0:20 / /proc rw - proc proc rw\n"
      "30 25 0:26 /docker/x /sys/fs/cgroup/cpu\\040a ro,nosuid master:9 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "31 25 0:27 / /sys/fs/cgroup rw shared:4 - cgroup2 cgroup2 rw,nsdelegate\n");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].root, "/docker/x");
  EXPECT_EQ(found[0].mountpoint, "/sys/fs/cgroup/cpu a");
  EXPECT_EQ(found[0].super_options, "rw,cpu,cpuacct");
  EXPECT_EQ(found[1].fs_type, "cgroup2");
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
