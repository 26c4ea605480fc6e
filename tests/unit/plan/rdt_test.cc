// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

struct Row {
  const char* what;
  spec::IntelRdt wanted;
  RdtPlan expected;
};

const Row kRows[] = {
    {"nothing asked: a class of its own", {}, {.group = "c1", .own = true}},
    {"own, with schemata",
     {.schemata = {"L2:0=f"}},
     {.group = "c1", .own = true, .schemata = "L2:0=f\n"}},
    {"named, nothing said: it must be there",
     {.clos_id = "gold"},
     {.group = "gold", .must_exist = true}},
    {"named and said: made, or compared",
     {.clos_id = "gold", .l3_cache_schema = "L3:0=f"},
     {.group = "gold", .schemata = "L3:0=f\n"}},
    {"the default class", {.clos_id = "/"}, {.must_exist = true}},
    {"the default class, compared",
     {.clos_id = "/", .mem_bw_schema = "MB:0=50"},
     {.must_exist = true, .schemata = "MB:0=50\n"}},
    {"cache, bandwidth, then the rest",
     {.schemata = {"L2:0=1", "MB:1=9"}, .l3_cache_schema = "L3:0=f", .mem_bw_schema = "MB:0=50"},
     {.group = "c1", .own = true, .schemata = "L3:0=f\nMB:0=50\nL2:0=1\nMB:1=9\n"}},
    {"bandwidth twice: its own member",
     {.l3_cache_schema = "L3:0=f\nMB:0=20\nL3:1=1", .mem_bw_schema = "MB:0=50"},
     {.group = "c1", .own = true, .schemata = "L3:0=f\nL3:1=1\nMB:0=50\n"}},
    {"bandwidth only among the cache's lines stays",
     {.l3_cache_schema = "L3:0=f\nMB:0=20"},
     {.group = "c1", .own = true, .schemata = "L3:0=f\nMB:0=20\n"}},
    {"monitored", {.enable_monitoring = true}, {.group = "c1", .own = true, .monitor = "c1"}},
    {"monitoring is no schema",
     {.clos_id = "gold", .enable_monitoring = true},
     {.group = "gold", .must_exist = true, .monitor = "c1"}},
};

TEST(PlanRdt, Table) {
  for (const Row& row : kRows) {
    spec::Spec spec;
    spec.platform.intel_rdt = row.wanted;
    const std::optional<RdtPlan> plan = plan_rdt(spec, "c1");
    ASSERT_TRUE(plan) << row.what;
    EXPECT_EQ(plan->group, row.expected.group) << row.what;
    EXPECT_EQ(plan->own, row.expected.own) << row.what;
    EXPECT_EQ(plan->must_exist, row.expected.must_exist) << row.what;
    EXPECT_EQ(plan->schemata, row.expected.schemata) << row.what;
    EXPECT_EQ(plan->monitor, row.expected.monitor) << row.what;
  }
}

TEST(PlanRdt, IsNotTouchedUnlessAsked) { EXPECT_FALSE(plan_rdt(spec::Spec{}, "c1")); }

}  // namespace
}  // namespace berth::plan
