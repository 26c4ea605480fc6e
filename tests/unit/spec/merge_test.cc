// SPDX-License-Identifier: Apache-2.0
#include "spec/merge.h"

#include <gtest/gtest.h>

#include "spec/read_spec.h"

namespace berth::spec {
namespace {

std::string merged(const char* before, const char* changes) {
  Spec config;
  config.platform.resources = *read_resources(before);
  merge({.resources = *read_resources(changes)}, config);
  return write_resources(*config.platform.resources, 0);
}

// Both as the text that the merged one is written as.
void expect(const char* before, const char* changes, const char* after) {
  EXPECT_EQ(merged(before, changes), write_resources(*read_resources(after), 0)) << changes;
}

TEST(Merge, WhatIsNotNamedStays) {
  expect(
      R"({"memory": {"limit": 5, "swappiness": 3}, "pids": {"limit": 7}})",
      R"({"memory": {"limit": 6}, "cpu": {"shares": 9}})",
      R"({"memory": {"limit": 6, "swappiness": 3}, "cpu": {"shares": 9}, "pids": {"limit": 7}})");
}

TEST(Merge, ZeroIsNotSetWhereEnginesWriteIt) {
  expect(R"({"cpu": {"shares": 5, "quota": 6, "idle": 1, "burst": 3}, "memory": {"limit": 5}})",
         R"({"cpu": {"shares": 0, "quota": 0, "idle": 0, "burst": 0}, "memory": {"limit": 0}})",
         R"({"cpu": {"shares": 5, "quota": 6, "idle": 0, "burst": 0}, "memory": {"limit": 5}})");
}

TEST(Merge, NoLimitOfMemoryIsNoneOfBoth) {
  expect(R"({"memory": {"limit": 5, "swap": 9}})", R"({"memory": {"limit": -1}})",
         R"({"memory": {"limit": -1, "swap": -1}})");
}

TEST(Merge, DeviceByDeviceAndFileByFile) {
  expect(R"({"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1},
                                                   {"major": 8, "minor": 1, "rate": 2}]},
             "unified": {"memory.high": "1", "memory.low": "2"},
             "hugepageLimits": [{"pageSize": "2MB", "limit": 1}]})",
         R"({"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 1, "rate": 5},
                                                   {"major": 9, "minor": 1, "rate": 6}]},
             "unified": {"memory.low": "3", "pids.max": "4"},
             "hugepageLimits": [{"pageSize": "2MB", "limit": 2}]})",
         R"({"blockIO": {"throttleReadBpsDevice": [{"major": 8, "minor": 0, "rate": 1},
                                                   {"major": 8, "minor": 1, "rate": 5},
                                                   {"major": 9, "minor": 1, "rate": 6}]},
             "unified": {"memory.high": "1", "memory.low": "3", "pids.max": "4"},
             "hugepageLimits": [{"pageSize": "2MB", "limit": 2}]})");
}

TEST(Merge, RulesForDevicesAreAList) {
  expect(R"({"devices": [{"allow": false, "access": "rwm"}]})",
         R"({"devices": [{"allow": true, "type": "c", "major": 10, "minor": 229}]})",
         R"({"devices": [{"allow": true, "type": "c", "major": 10, "minor": 229}]})");
}

TEST(Merge, AttributesOfTheProcess) {
  Spec config;
  config.process.emplace().rlimits = {{"RLIMIT_CORE", 1, 2}, {"RLIMIT_NOFILE", 3, 4}};
  merge({.process = {.oom_score_adj = 7,
                     .rlimits = {{"RLIMIT_NOFILE", 5, 6}},
                     .scheduler = Scheduler{.policy = "SCHED_BATCH"},
                     .cpu_affinity = "0"}},
        config);
  EXPECT_EQ(config.process->rlimits,
            (std::vector<Rlimit>{{"RLIMIT_CORE", 1, 2}, {"RLIMIT_NOFILE", 5, 6}}));
  EXPECT_EQ(config.process->oom_score_adj, 7);
  EXPECT_EQ(config.process->scheduler->policy, "SCHED_BATCH");
  EXPECT_EQ(config.process->exec_cpu_affinity->final, "0");
  EXPECT_FALSE(config.process->io_priority);
}

TEST(Merge, NothingChangesNothing) {
  Spec config;
  config.process.emplace();
  const Spec before = config;
  merge({}, config);
  EXPECT_EQ(config, before);
}

}  // namespace
}  // namespace berth::spec
