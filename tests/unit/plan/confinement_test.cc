// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/landlock_rights.h"
#include "plan/make_plan.h"
#include "spec/annotations.h"
#include "spec/read_spec.h"

namespace berth::plan {
namespace {

constexpr int kNewest = 7;

Result<ConfinementPlan> planned(const spec::StringMap& annotations, int landlock_version = kNewest,
                                bool no_new_privileges = true) {
  spec::Spec spec = spec::default_spec(false);
  spec.annotations = annotations;
  spec.process->no_new_privileges = no_new_privileges;
  std::vector<std::string> warnings;
  const HostFacts facts{.capabilities = ~uint64_t{0}, .landlock_version = landlock_version};
  Result<ProcessPlan> plan = plan_process(*spec.process, spec, facts, warnings);
  if (!plan) return std::unexpected(std::move(plan).error());
  return plan->confinement;
}

std::string refused(const spec::StringMap& annotations, int landlock_version = kNewest,
                    bool no_new_privileges = true) {
  const Result<ConfinementPlan> plan = planned(annotations, landlock_version, no_new_privileges);
  return plan ? "accepted" : plan.error().message();
}

std::string name(std::string_view text) { return std::string(text); }

TEST(PlanConfinement, LeavesAloneWhatIsNotBerths) {
  const auto plan = planned({{"org.criu.config", "/x"}, {"run.oci.handler", "krun"}});
  ASSERT_TRUE(plan.has_value());
  EXPECT_EQ(plan->landlock_rights, 0U);
  EXPECT_FALSE(plan->deny_write_execute || plan->core_cookie || plan->merge_pages);
  EXPECT_EQ(plan->huge_pages, HugePages::AsTheHost);
}

TEST(PlanConfinement, EveryNameHasARule) {
  for (const std::string_view each : spec::annotations_with_effect()) {
    EXPECT_FALSE(refused({{name(each), "/\n"}}).contains("unknown annotation")) << each;
  }
}

// linux/landlock.h: what each version of the ABI can restrict.
TEST(PlanConfinement, RightsAreThoseOfTheKernel) {
  constexpr uint64_t kFirst = (1U << 13) - 1;
  const std::pair<int, uint64_t> kVersions[] = {{1, kFirst},
                                                {2, kFirst | 1U << 13},
                                                {3, kFirst | 3U << 13},
                                                {4, kFirst | 3U << 13},
                                                {5, kFirst | 7U << 13},
                                                {kNewest, kFirst | 7U << 13}};
  for (const auto& [version, rights] : kVersions) {
    const auto plan = planned({{name(spec::kLandlockWrite), "/a"}}, version);
    ASSERT_TRUE(plan.has_value());
    EXPECT_EQ(plan->landlock_rights, rights) << version;
    EXPECT_EQ(plan->landlock.at(0).rights, rights & ~uint64_t{LANDLOCK_ACCESS_FS_EXECUTE});
  }
}

TEST(PlanConfinement, PathsAreOfTheContainer) {
  const auto plan = planned(
      {{name(spec::kLandlockExecute), "/usr//bin/:/lib"}, {name(spec::kLandlockRead), "/etc"}});
  ASSERT_TRUE(plan.has_value());
  ASSERT_EQ(plan->landlock.size(), 3U);
  EXPECT_EQ(plan->landlock[0].path, "/usr/bin");
  EXPECT_TRUE((plan->landlock[1].rights & LANDLOCK_ACCESS_FS_EXECUTE) != 0);
  EXPECT_EQ(plan->landlock[2].rights,
            uint64_t{LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR});
  EXPECT_EQ(plan->landlock[2].pointer, "/annotations/run.berth.landlock.read");
}

TEST(PlanConfinement, AnEmptyListLeavesNothingOpen) {
  const auto plan = planned({{name(spec::kLandlockRead), ""}});
  ASSERT_TRUE(plan.has_value());
  EXPECT_NE(plan->landlock_rights, 0U);
  EXPECT_TRUE(plan->landlock.empty());
}

TEST(PlanConfinement, SaysWhatIsMissing) {
  EXPECT_TRUE(refused({{name(spec::kLandlockRead), "/a"}}, 0).contains("not enabled on this host"));
  EXPECT_TRUE(
      refused({{name(spec::kLandlockRead), "/a"}}, kNewest, false).contains("noNewPrivileges"));
  EXPECT_TRUE(refused({{"run.berth.mdw", "true"}}).contains("did you mean run.berth.mdwe?"));
  EXPECT_TRUE(refused({{"run.berth.a/b", ""}}).contains("/annotations/run.berth.a~1b"));
}

}  // namespace
}  // namespace berth::plan
