// SPDX-License-Identifier: Apache-2.0
#include "os/mountinfo.h"

#include <gtest/gtest.h>

namespace berth::os {
namespace {

TEST(Mountinfo, IsParsed) {
  const auto found = parse_mountinfo(
      "22 1 0:20 / /proc rw - proc proc rw\n"
      "30 25 0:26 /docker/x /sys/fs/cgroup/cpu\\040a ro,nosuid master:9 - cgroup cgroup "
      "rw,cpu,cpuacct\n"
      "31 25 0:27 / /sys/fs/cgroup rw shared:4 master:2 - cgroup2 cgroup2 rw,nsdelegate");
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].id, 22);
  EXPECT_EQ(found[0].parent, 1);
  EXPECT_EQ(found[0].device, "0:20");
  EXPECT_EQ(found[0].type, "proc");
  EXPECT_EQ(found[1].root, "/docker/x");
  EXPECT_EQ(found[1].place, "/sys/fs/cgroup/cpu a");
  EXPECT_EQ(found[1].options, "rw,cpu,cpuacct");
  EXPECT_EQ(found[2].type, "cgroup2");
}

TEST(Mountinfo, LeavesOutWhatIsNoLine) {
  EXPECT_TRUE(parse_mountinfo("").empty());
  EXPECT_TRUE(parse_mountinfo("\n\nno line\n1 2 3 - \n - \n").empty());
  EXPECT_TRUE(parse_mountinfo("22 1 0:20 / - proc proc rw").empty());
}

}  // namespace
}  // namespace berth::os
