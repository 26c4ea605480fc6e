// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/capability.h>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

constexpr HostFacts kRoot{.capabilities = ~uint64_t{0}};
constexpr HostFacts kUser{.euid = 1000, .egid = 1000};

spec::Spec with_user_namespace(std::vector<spec::IdMapping> uids,
                               std::vector<spec::IdMapping> gids) {
  spec::Spec spec;
  spec.platform.namespaces = {{.type = spec::NamespaceType::User}};
  spec.platform.uid_mappings = std::move(uids);
  spec.platform.gid_mappings = std::move(gids);
  return spec;
}

TEST(PlanIds, NothingToMapWithoutANewUserNamespace) {
  EXPECT_FALSE(plan_ids({}, kRoot)->maps);
  spec::Spec spec = with_user_namespace({}, {});
  spec.platform.namespaces[0].path = "/proc/1/ns/user";
  EXPECT_FALSE(plan_ids(spec, kUser)->maps);
}

TEST(PlanIds, WritesOneLineForEachMapping) {
  const IdPlan plan = *plan_ids(
      with_user_namespace({{0, 100000, 65536}, {65536, 1000, 1}}, {{0, 200000, 10}}), kRoot);
  EXPECT_TRUE(plan.maps);
  EXPECT_EQ(plan.uid_map, "0 100000 65536\n65536 1000 1\n");
  EXPECT_EQ(plan.gid_map, "0 200000 10\n");
  EXPECT_FALSE(plan.deny_setgroups);
  EXPECT_FALSE(plan.use_helpers);
}

TEST(PlanIds, OwnIdNeedsNoHelperButNoGroups) {
  const IdPlan plan = *plan_ids(with_user_namespace({{0, 1000, 1}}, {{0, 1000, 1}}), kUser);
  EXPECT_TRUE(plan.deny_setgroups);
  EXPECT_FALSE(plan.use_helpers);
}

TEST(PlanIds, OtherIdsNeedHelpers) {
  const IdPlan plan =
      *plan_ids(with_user_namespace({{0, 1000, 1}, {1, 100000, 65536}}, {{0, 1000, 1}}), kUser);
  EXPECT_TRUE(plan.use_helpers);
  EXPECT_FALSE(plan.deny_setgroups);
  EXPECT_TRUE(plan_ids(with_user_namespace({{0, 1000, 1}}, {{0, 100000, 1}}), kUser)->use_helpers);
}

TEST(PlanIds, CapabilitiesDoInsteadOfHelpers) {
  HostFacts facts = kUser;
  facts.capabilities = uint64_t{1} << CAP_SETUID | uint64_t{1} << CAP_SETGID;
  const IdPlan plan = *plan_ids(with_user_namespace({{0, 5, 100}}, {{0, 5, 100}}), facts);
  EXPECT_FALSE(plan.use_helpers);
  EXPECT_FALSE(plan.deny_setgroups);
}

TEST(PlanIds, RefusesWhatCanNotWork) {
  EXPECT_EQ(plan_ids({}, kUser).error().pointer(), "/linux/namespaces");
  EXPECT_EQ(plan_ids(with_user_namespace({}, {{0, 0, 1}}), kRoot).error().pointer(),
            "/linux/uidMappings");
  EXPECT_EQ(plan_ids(with_user_namespace({{0, 0, 1}}, {}), kRoot).error().pointer(),
            "/linux/gidMappings");
}

// Without privileges and without a user namespace in the config.
TEST(OwnUserNamespace, IsAddedForWhoNeedsIt) {
  spec::Spec spec;
  spec.platform.namespaces = {{.type = spec::NamespaceType::Pid}};
  EXPECT_FALSE(with_user_namespace(spec, kRoot));
  const spec::Spec changed = *with_user_namespace(spec, kUser);
  EXPECT_EQ(changed.platform.namespaces.back().type, spec::NamespaceType::User);
  EXPECT_EQ(changed.platform.uid_mappings, (std::vector<spec::IdMapping>{{0, 1000, 1}}));
  EXPECT_EQ(changed.platform.gid_mappings, (std::vector<spec::IdMapping>{{0, 1000, 1}}));
  EXPECT_FALSE(with_user_namespace(changed, kUser));
}

TEST(OwnUserNamespace, DropsATerminalsGroupThatIsNotThere) {
  spec::Spec spec;
  spec.mounts = {{.type = "devpts", .options = {"gid=5", "mode=620", "gid=x"}},
                 {.type = "tmpfs", .options = {"gid=5"}}};
  EXPECT_EQ(with_user_namespace(spec, kUser)->mounts[0].options,
            (std::vector<std::string>{"mode=620", "gid=x"}));
  EXPECT_EQ(with_user_namespace(spec, kUser)->mounts[1].options.size(), 1U);
  HostFacts facts = kUser;
  facts.subordinate_uids = facts.subordinate_gids = {.first = 100000, .size = 5};
  EXPECT_EQ(with_user_namespace(spec, facts)->mounts[0].options.size(), 3U);
}

TEST(OwnUserNamespace, TakesWhatIsLent) {
  HostFacts facts = kUser;
  facts.subordinate_uids = {.first = 100000, .size = 65536};
  // One kind alone is of no use.
  EXPECT_EQ(with_user_namespace(spec::Spec{}, facts)->platform.uid_mappings.size(), 1U);
  facts.subordinate_gids = {.first = 200000, .size = 10};
  const spec::Linux changed = with_user_namespace(spec::Spec{}, facts)->platform;
  EXPECT_EQ(changed.uid_mappings, (std::vector<spec::IdMapping>{{0, 1000, 1}, {1, 100000, 65536}}));
  EXPECT_EQ(changed.gid_mappings, (std::vector<spec::IdMapping>{{0, 1000, 1}, {1, 200000, 10}}));
}

}  // namespace
}  // namespace berth::plan
