// SPDX-License-Identifier: Apache-2.0
// Where the cgroups of a container are, and what comes with them.
#include <gtest/gtest.h>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

HostFacts host(CgroupLayout layout, const std::string& own) {
  HostFacts facts = {.cgroup_layout = layout};
  if (layout == CgroupLayout::V2) facts.hierarchies = {{{}, "/sys/fs/cgroup", own, true}};
  if (layout == CgroupLayout::V1 || layout == CgroupLayout::Hybrid) {
    facts.hierarchies = {{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", own},
                         {{"name=systemd"}, "/sys/fs/cgroup/systemd", "/"}};
  }
  if (layout == CgroupLayout::Hybrid)
    facts.hierarchies.push_back({{}, "/sys/fs/cgroup/unified", own, true});
  return facts;
}

struct Outcome {
  Result<CgroupPlan> plan;
  std::vector<std::string> warnings;
};

Outcome run(const spec::Spec& spec, const HostFacts& facts, Request request = {}) {
  std::vector<std::string> warnings;
  request.id = "box";
  Result<CgroupPlan> plan = plan_cgroup(spec, facts, request, warnings);
  return {std::move(plan), std::move(warnings)};
}

std::string places_of(const std::string& path, const HostFacts& facts) {
  spec::Spec spec;
  spec.platform.cgroups_path = path;
  const Outcome outcome = run(spec, facts);
  if (!outcome.plan) return "error " + outcome.plan.error().pointer();
  std::string text;
  for (const CgroupPlace& place : outcome.plan->places)
    text += (text.empty() ? "" : " ") + place.path;
  return text;
}

TEST(CgroupPlaces, Table) {
  struct Row {
    CgroupLayout layout;
    const char* own;
    const char* path;
    const char* places;
  };
  const Row kRows[] = {
      {CgroupLayout::V2, "/", "/a/b", "/a/b"},
      {CgroupLayout::V2, "/", "", "/box"},
      {CgroupLayout::V2, "/", "a/b", "/a/b"},
      {CgroupLayout::V2, "/user.slice/session", "", "/user.slice/box"},
      {CgroupLayout::V2, "/user.slice/session", "a", "/user.slice/a"},
      {CgroupLayout::V2, "/user.slice/session", "/a", "/a"},
      {CgroupLayout::V2, "/own", "a", "/a"},
      {CgroupLayout::V2, "/../outside", "a", "/a"},
      {CgroupLayout::V1, "/own", "/a", "/a /a"},
      {CgroupLayout::V1, "/own", "a", "/own/a /a"},
      {CgroupLayout::V1, "/own", "", "/own/box /box"},
      {CgroupLayout::Hybrid, "/own", "", "/own/box /box /own/box"},
      {CgroupLayout::Hybrid, "/", "/a//b/./c/", "/a/b/c /a/b/c /a/b/c"},
      {CgroupLayout::V2, "/", "/a/../b", "error /linux/cgroupsPath"},
      {CgroupLayout::V2, "/", "..", "error /linux/cgroupsPath"},
      {CgroupLayout::V2, "/", "/", "error /linux/cgroupsPath"},
      {CgroupLayout::V2, "/", ".", "error /linux/cgroupsPath"},
      {CgroupLayout::V2, "/", "/a\nb", "error /linux/cgroupsPath"},
      {CgroupLayout::V2, "/", "/a\x7f", "error /linux/cgroupsPath"},
      {CgroupLayout::V2, "/", "/..a/b..", "/..a/b.."},
      {CgroupLayout::None, "/", "/a", ""},
  };
  for (const Row& row : kRows)
    EXPECT_EQ(places_of(row.path, host(row.layout, row.own)), row.places) << row.path;
}

// systemd's own in the hierarchies that it manages, berth's in the others.
TEST(CgroupPlaces, OfAUnitAreTheSameEverywhere) {
  HostFacts facts = host(CgroupLayout::Hybrid, "/own");
  facts.systemd_root = "/";
  const Outcome outcome = run({}, facts, {.cgroup_driver = CgroupDriver::Systemd});
  ASSERT_TRUE(outcome.plan) << outcome.plan.error().message();
  EXPECT_EQ(outcome.plan->unit.name, "berth-box.scope");
  ASSERT_EQ(outcome.plan->places.size(), 3u);
  for (const CgroupPlace& place : outcome.plan->places)
    EXPECT_EQ(place.path, "/system.slice/berth-box.scope") << place.mountpoint;
}

spec::Spec with_pids() {
  spec::Spec spec;
  spec.platform.resources.emplace().pids_limit = 3;
  return spec;
}

TEST(CgroupPlaces, DisabledTouchesNothing) {
  const Outcome outcome =
      run(with_pids(), host(CgroupLayout::V2, "/"), {.cgroup_driver = CgroupDriver::Disabled});
  ASSERT_TRUE(outcome.plan);
  EXPECT_TRUE(outcome.plan->places.empty());
  EXPECT_TRUE(outcome.plan->writes.empty());
  EXPECT_FALSE(outcome.plan->limits_devices);
  EXPECT_EQ(outcome.warnings.size(), 1u);
}

TEST(CgroupPlaces, LimitsNeedCgroups) {
  const Outcome outcome = run(with_pids(), host(CgroupLayout::None, "/"));
  ASSERT_FALSE(outcome.plan);
  EXPECT_EQ(outcome.plan.error().pointer(), "/linux/resources/pids/limit");
}

TEST(CgroupPlaces, RootlessToleratesAndLimitsNoDevices) {
  HostFacts facts = host(CgroupLayout::V2, "/");
  EXPECT_FALSE(run({}, facts).plan->tolerate_denied);
  EXPECT_TRUE(run({}, facts).plan->limits_devices);
  EXPECT_TRUE(run({}, facts, {.rootless = true}).plan->tolerate_denied);
  facts.euid = 1000;
  EXPECT_TRUE(run({}, facts).plan->tolerate_denied);
  EXPECT_FALSE(run({}, facts).plan->limits_devices);
  facts = host(CgroupLayout::V2, "/");
  facts.in_user_namespace = true;
  EXPECT_FALSE(run({}, facts).plan->limits_devices);
}

TEST(CgroupPlaces, DelegatesOnlyWhenAllHolds) {
  spec::Spec spec;
  spec.platform.namespaces = {{.type = spec::NamespaceType::Cgroup}};
  spec.platform.uid_mappings = {{0, 100000, 65536}};
  spec.mounts = {{.destination = "/sys/fs/cgroup", .type = "cgroup", .options = {"rw"}}};
  const HostFacts v2 = host(CgroupLayout::V2, "/");
  ASSERT_TRUE(run(spec, v2).plan->delegate);
  EXPECT_EQ(run(spec, v2).plan->delegate_uid, 100000u);
  EXPECT_FALSE(run(spec, host(CgroupLayout::Hybrid, "/")).plan->delegate);
  spec::Spec read_only = spec;
  read_only.mounts[0].options = {"ro"};
  EXPECT_FALSE(run(read_only, v2).plan->delegate);
  spec::Spec joined = spec;
  joined.platform.namespaces[0].path = "/proc/1/ns/cgroup";
  EXPECT_FALSE(run(joined, v2).plan->delegate);
  spec::Spec same_user = spec;
  same_user.platform.uid_mappings.clear();
  EXPECT_FALSE(run(same_user, v2).plan->delegate);
}

TEST(CgroupDeviceRules, DenyFirstOwnListLast) {
  spec::Spec spec;
  spec.platform.resources.emplace().devices = {
      {.allow = true, .type = 'c', .major = 10, .access = "rw"}};
  const std::vector<DeviceRulePlan> rules = plan_device_rules(spec);
  ASSERT_GT(rules.size(), 3u);
  EXPECT_EQ(rules[0].type, 'a');
  EXPECT_FALSE(rules[0].allow);
  EXPECT_EQ(rules[1].major, 10);
  EXPECT_EQ(rules[1].minor, -1);
  EXPECT_TRUE(rules[1].read && rules[1].write && !rules[1].mknod);
  for (size_t index = 2; index < rules.size(); ++index) EXPECT_TRUE(rules[index].allow);
  EXPECT_EQ(plan_device_rules({}).size(), rules.size() - 1);
}

}  // namespace
}  // namespace berth::plan
