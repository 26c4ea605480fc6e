// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cgroup/counters.h"

namespace berth::cgroup {
namespace {

TEST(Counters, Lists) {
  EXPECT_EQ(parse_list("0-2,5\n"), (std::vector<unsigned>{0, 1, 2, 5}));
  EXPECT_EQ(parse_list("7"), (std::vector<unsigned>{7}));
  EXPECT_TRUE(parse_list("").empty());
  EXPECT_TRUE(parse_list("x").empty());
  EXPECT_TRUE(parse_list("0-x").empty());
}

TEST(Counters, Pressure) {
  const auto pressure = parse_pressure(
      "some avg10=1.25 avg60=0.50 avg300=0.01 total=1234\n"
      "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n");
  ASSERT_TRUE(pressure);
  EXPECT_EQ(pressure->some.avg10, 1.25);
  EXPECT_EQ(pressure->some.avg60, 0.5);
  EXPECT_EQ(pressure->some.avg300, 0.01);
  EXPECT_EQ(pressure->some.total_us, 1234U);
  EXPECT_EQ(pressure->full.total_us, 7U);
  EXPECT_FALSE(parse_pressure(""));
}

TEST(Counters, Rdma) {
  const auto entries = parse_rdma("mlx4_0 hca_handle=2 hca_object=max\nocrdma1 hca_handle=0\n");
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].device, "mlx4_0");
  EXPECT_EQ(entries[0].handles, 2U);
  EXPECT_EQ(entries[0].objects, UINT64_MAX);
  EXPECT_EQ(entries[1].device, "ocrdma1");
}

TEST(StatsJson, RdmaHasTheFormOfRuncsLibrary) {
  Stats stats;
  stats.rdma_usage = {{"mlx4_0", 2, 3}};
  stats.rdma_limit = {{"mlx4_0", 4, UINT64_MAX}};
  EXPECT_NE(stats.to_json().find(
                R"("rdma":{"rdma_limit":[{"device":"mlx4_0","hca_handles":4}],)"
                R"("rdma_current":[{"device":"mlx4_0","hca_handles":2,"hca_objects":3}]})"),
            std::string::npos)
      << stats.to_json();
}

TEST(StatsMetrics, WhatIsNotLimitedHasNoSample) {
  Stats stats;
  stats.memory = MemoryStats{.usage = {.limit = UINT64_MAX, .usage = 5}};
  const std::string text = stats.to_openmetrics("a\"b");
  EXPECT_NE(text.find("container_memory_usage_bytes{id=\"a\\\"b\"} 5\n"), std::string::npos);
  EXPECT_EQ(text.find("container_memory_limit_bytes{"), std::string::npos);
  EXPECT_TRUE(text.ends_with("# EOF\n"));
}

}  // namespace
}  // namespace berth::cgroup
