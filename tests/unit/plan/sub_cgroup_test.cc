// SPDX-License-Identifier: Apache-2.0
#include "plan/sub_cgroup.h"

#include <gtest/gtest.h>

namespace berth::plan {
namespace {

using List = std::vector<SubCgroup>;

TEST(SubCgroup, OnePathForAll) {
  EXPECT_EQ(*read_sub_cgroups({}), List{});
  EXPECT_EQ(*read_sub_cgroups({"a"}), (List{{"", "a"}}));
  EXPECT_EQ(*read_sub_cgroups({"//a/./b/"}), (List{{"", "a/b"}}));
  EXPECT_EQ(*read_sub_cgroups({"/"}), (List{{"", ""}}));
  EXPECT_EQ(*read_sub_cgroups({"...a"}), (List{{"", "...a"}}));
}

TEST(SubCgroup, PathsWithControllers) {
  EXPECT_EQ(*read_sub_cgroups({"memory:m", "cpu,cpuacct:/c"}),
            (List{{"memory", "m"}, {"cpu", "c"}, {"cpuacct", "c"}}));
  EXPECT_EQ(*read_sub_cgroups({"memory:a:b"}), (List{{"memory", "a:b"}}));
}

TEST(SubCgroup, Refused) {
  const struct {
    std::vector<std::string> texts;
    const char* message;
  } kCases[] = {
      {{".."}, "bad sub cgroup path: .. is not a sub cgroup path"},
      {{"a/../../b"}, "is not a sub cgroup path"},
      {{"memory:a/.."}, "is not a sub cgroup path"},
      {{":a"}, "empty <controller> prefix"},
      {{"memory,:a"}, "empty <controller> prefix"},
      {{"a", "b"}, "missing <controller>: prefix"},
      {{"memory:a", "b"}, "missing <controller>: prefix"},
      {{"memory:a", "cpu,memory:b"}, "controller memory specified multiple times"},
  };
  for (const auto& [texts, message] : kCases) {
    const auto list = read_sub_cgroups(texts);
    ASSERT_FALSE(list) << texts[0];
    EXPECT_EQ(list.error().kind(), ErrorKind::InvalidUse);
    EXPECT_NE(list.error().message().find(message), std::string::npos) << list.error().message();
  }
}

}  // namespace
}  // namespace berth::plan
