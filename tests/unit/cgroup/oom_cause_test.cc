// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cgroup/oom.h"

namespace berth::cgroup {
namespace {

constexpr const char* kOwn = "/a/web";

OomCounts counts(uint64_t kills, uint64_t own, uint64_t inside, uint64_t above) {
  return {.kills = kills,
          .levels = {{.place = OomLimit::Container, .path = kOwn, .hits = own},
                     {.place = OomLimit::Inside, .path = "/a/web/job", .hits = inside},
                     {.place = OomLimit::Above, .path = "/a", .hits = above}}};
}

std::string line(const std::string& cause, const std::string& task = "/a/web") {
  return "oom-kill:constraint=" + cause + ",task_memcg=" + task + ",task=a,pid=b,pid=77,uid=0";
}

TEST(OomCause, ReadsTheKernelsLine) {
  const auto death = parse_oom_death(
      "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=/,mems_allowed=0,"
      "oom_memcg=/a,task_memcg=/a/web,x,task=do,it,pid=99,uid=1000");
  ASSERT_TRUE(death);
  EXPECT_TRUE(death->by_cgroup);
  EXPECT_EQ(death->limited, "/a");
  EXPECT_EQ(death->victim.pid, 99);
  EXPECT_EQ(death->victim.name, "do,it");
  EXPECT_EQ(death->victim.cgroup, "/a/web,x");
}

TEST(OomCause, OtherLinesAreNone) {
  EXPECT_FALSE(parse_oom_death("Memory cgroup out of memory: Killed process 1 (sh)"));
  EXPECT_FALSE(parse_oom_death("oom-kill:constraint=CONSTRAINT_MEMCG"));
  EXPECT_FALSE(parse_oom_death("x oom-kill:constraint=CONSTRAINT_MEMCG,task=a,pid=1,uid=0"));
  EXPECT_FALSE(parse_oom_death(""));
}

TEST(OomCause, OnlyTheOwnDead) {
  const std::vector<std::string> log = {
      line("CONSTRAINT_MEMCG", "/a/web"), line("CONSTRAINT_MEMCG", "/a/web/job"),
      line("CONSTRAINT_MEMCG", "/a/website"), line("CONSTRAINT_MEMCG", "/b/a/web"), "other"};
  EXPECT_EQ(deaths_in(log, kOwn).size(), 2U);
}

TEST(OomCause, TheLevelThatRose) {
  const OomCounts before = counts(1, 5, 5, 5);
  struct Row {
    OomCounts after;
    OomLimit limit;
    const char* cgroup;
  };
  for (const Row& row : {Row{counts(2, 6, 5, 5), OomLimit::Container, "/a/web"},
                         Row{counts(2, 5, 6, 5), OomLimit::Inside, "/a/web/job"},
                         Row{counts(2, 5, 5, 6), OomLimit::Above, "/a"},
                         Row{counts(2, 5, 5, 5), OomLimit::Unknown, ""}}) {
    const OutOfMemory oom = attribute_oom(&before, row.after, {}, kOwn);
    EXPECT_EQ(oom.limit, row.limit);
    EXPECT_EQ(oom.cgroup, row.cgroup);
    EXPECT_EQ(oom.kills, 2U);
    EXPECT_EQ(oom.new_kills, 1U);
  }
}

TEST(OomCause, WithoutAFirstCountTheLevelsAboveTellNothing) {
  EXPECT_EQ(attribute_oom(nullptr, counts(1, 0, 0, 9), {}, kOwn).limit, OomLimit::Unknown);
  EXPECT_EQ(attribute_oom(nullptr, counts(1, 2, 0, 9), {}, kOwn).limit, OomLimit::Container);
}

TEST(OomCause, TheMachineWhenEveryCgroupIsInSight) {
  const OomCounts before = counts(0, 0, 0, 0);
  OomCounts after = counts(1, 0, 0, 0);
  after.complete = true;
  EXPECT_EQ(attribute_oom(&before, after, {}, kOwn).limit, OomLimit::Machine);
}

// Newer kernels leave failcnt of v1 at 0.
TEST(OomCause, AFullLevelWhenNoneRose) {
  const OomCounts before = counts(0, 0, 0, 0);
  OomCounts after = counts(1, 0, 0, 0);
  after.levels[2].was_full = true;
  EXPECT_EQ(attribute_oom(&before, after, {}, kOwn).limit, OomLimit::Above);
  after.levels[1].hits = 1;
  EXPECT_EQ(attribute_oom(&before, after, {}, kOwn).limit, OomLimit::Inside);
}

TEST(OomCause, TheLogKnowsBest) {
  const OomCounts before = counts(0, 0, 0, 0);
  const OomCounts after = counts(1, 3, 0, 0);
  const auto cause = [&](const std::string& text) {
    const std::vector<std::string> log = {line(text)};
    return attribute_oom(&before, after, deaths_in(log, kOwn), kOwn);
  };
  EXPECT_EQ(cause("CONSTRAINT_MEMCG,oom_memcg=/a").limit, OomLimit::Above);
  EXPECT_EQ(cause("CONSTRAINT_MEMCG,oom_memcg=/a/web/job").limit, OomLimit::Inside);
  EXPECT_EQ(cause("CONSTRAINT_MEMCG,oom_memcg=/a/web").limit, OomLimit::Container);
  EXPECT_EQ(cause("CONSTRAINT_NONE,global_oom").limit, OomLimit::Machine);
  EXPECT_EQ(cause("CONSTRAINT_NONE,global_oom").cgroup, "");
}

}  // namespace
}  // namespace berth::cgroup
