// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sched.h>

#include <sstream>

#include "plan/make_plan.h"
#include "plan/namespace_flags.h"

namespace berth::plan {
namespace {

// "net" is a new one, "net+" one that is joined.
constexpr std::pair<const char*, spec::NamespaceType> kNames[] = {
    {"pid", spec::NamespaceType::Pid},       {"net", spec::NamespaceType::Network},
    {"mnt", spec::NamespaceType::Mount},     {"ipc", spec::NamespaceType::Ipc},
    {"uts", spec::NamespaceType::Uts},       {"user", spec::NamespaceType::User},
    {"cgroup", spec::NamespaceType::Cgroup}, {"time", spec::NamespaceType::Time}};

spec::Namespace parsed(std::string word) {
  const bool joined = word.ends_with('+');
  if (joined) word.pop_back();
  for (const auto& [name, type] : kNames) {
    if (word == name) return {.type = type, .path = joined ? "/ns/" + word : ""};
  }
  ADD_FAILURE() << word;
  return {};
}

spec::Spec spec_of(const char* words) {
  spec::Spec spec;
  std::istringstream stream(words);
  for (std::string word; stream >> word;) spec.platform.namespaces.push_back(parsed(word));
  return spec;
}

std::string text(uint64_t flags) {
  std::string text;
  for (const auto& [name, type] : kNames) {
    if ((flags & clone_flag(type)) != 0) text.append(text.empty() ? "" : " ").append(name);
  }
  return text;
}

std::string text(const std::vector<JoinedNamespace>& list) {
  std::string text;
  for (const JoinedNamespace& item : list) {
    EXPECT_TRUE(item.pointer.starts_with("/linux/namespaces/"));
    text.append(text.empty() ? "" : " ").append(item.path.substr(4));
  }
  return text;
}

struct Row {
  const char* wanted;
  LaunchShape shape;
  const char* cloned;
  const char* unshared = "";
  const char* first = "";
  const char* join = "";
  const char* by_host = "";
};

constexpr LaunchShape kDirect = LaunchShape::Direct;
constexpr LaunchShape kJoiner = LaunchShape::Joiner;

constexpr Row kRows[] = {
    {"", kDirect, ""},
    // New ones only: one clone.
    {"pid", kDirect, "pid"},
    {"net", kDirect, "", "", "", "", "net"},
    {"mnt", kDirect, "mnt"},
    {"ipc", kDirect, "ipc"},
    {"uts", kDirect, "uts"},
    {"user", kDirect, "user"},
    {"cgroup", kDirect, "", "cgroup"},
    {"time", kDirect, "", "time"},
    {"pid net mnt ipc uts", kDirect, "pid mnt ipc uts", "", "", "", "net"},
    {"pid net mnt ipc uts cgroup", kDirect, "pid mnt ipc uts", "cgroup", "", "", "net"},
    {"pid net mnt ipc uts cgroup user", kDirect, "pid net mnt ipc uts user", "cgroup"},
    {"time cgroup user uts ipc mnt net pid", kDirect, "pid net mnt ipc uts user", "cgroup time"},
    // One joined, no user namespace: by init itself, but a pid namespace before the clone.
    {"pid+", kDirect, "", "", "pid"},
    {"net+", kDirect, "", "", "", "net"},
    {"mnt+", kDirect, "", "", "", "mnt"},
    {"ipc+", kDirect, "", "", "", "ipc"},
    {"uts+", kDirect, "", "", "", "uts"},
    {"cgroup+", kDirect, "", "", "", "cgroup"},
    {"time+", kDirect, "", "", "", "time"},
    {"pid net+ mnt", kDirect, "pid mnt", "", "", "net"},
    {"pid+ net+ mnt", kDirect, "mnt", "", "pid", "net"},
    {"mnt+ net+ ipc+", kDirect, "", "", "", "net ipc mnt"},
    {"mnt+ pid+ uts+ cgroup time", kDirect, "", "cgroup time", "pid", "uts mnt"},
    // A pod: shared network, ipc and uts.
    {"pid mnt cgroup ipc+ uts+ net+", kDirect, "pid mnt", "cgroup", "", "ipc uts net"},
    // One joined beside a new user namespace: not possible from inside it.
    {"user pid+", kDirect, "user", "", "pid"},
    {"user net+", kDirect, "user", "", "net"},
    {"user ipc+", kDirect, "user", "", "ipc"},
    {"user uts+", kDirect, "user", "", "uts"},
    {"user cgroup+", kDirect, "user", "", "cgroup"},
    {"user net+ ipc+ mnt pid cgroup", kDirect, "pid mnt user", "cgroup", "net ipc"},
    // Of these the calling thread can not leave again: a child of its own.
    {"user mnt+", kJoiner, "user", "", "", "mnt"},
    {"user time+", kJoiner, "user", "", "", "time"},
    {"mnt+ user net+ pid", kJoiner, "pid user", "", "", "net mnt"},
    {"user time+ pid+ mnt cgroup", kJoiner, "mnt user", "cgroup", "", "time pid"},
    // A user namespace joined: last, for who has come into it has no more rights over the others.
    {"user+", kJoiner, "", "", "", "user"},
    {"user+ pid mnt", kJoiner, "pid mnt", "", "", "user"},
    {"user+ pid+ net+", kJoiner, "", "", "", "pid net user"},
    {"net+ user+ mnt cgroup", kJoiner, "mnt", "cgroup", "", "net user"},
    {"mnt+ user+ net+", kJoiner, "", "", "", "net mnt user"},
    {"mnt+ time+ user+ uts+ ipc+ net+ pid+ cgroup+", kJoiner, "", "", "",
     "time uts ipc net pid cgroup mnt user"},
    {"user+ time cgroup pid mnt net+ ipc uts", kJoiner, "pid mnt ipc uts", "cgroup time", "",
     "net user"},
};

TEST(PlanNamespaces, TruthTable) {
  static_assert(std::size(kRows) >= 40);
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.wanted);
    const Result<NamespacePlan> plan = plan_namespaces(spec_of(row.wanted), {});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->shape, row.shape);
    EXPECT_EQ(text(plan->clone_flags), row.cloned);
    EXPECT_EQ(text(plan->unshare_flags), row.unshared);
    EXPECT_EQ(text(plan->enter_first), row.first);
    EXPECT_EQ(text(plan->join), row.join);
    EXPECT_EQ(text(plan->host_flags), row.by_host);
  }
}

// Its own namespaces are another's: it cannot come back to them.
TEST(PlanNamespaces, RootOfAUserNamespaceVisitsNothing) {
  constexpr Row kInside[] = {
      {"pid net mnt", kDirect, "pid net mnt"},
      {"net+ mnt", kDirect, "mnt", "", "", "net"},
      {"pid+ net mnt", kJoiner, "net mnt", "", "", "pid"},
      {"user net+", kJoiner, "user", "", "", "net"},
      {"user pid net mnt", kDirect, "pid net mnt user"},
  };
  for (const Row& row : kInside) {
    SCOPED_TRACE(row.wanted);
    const Result<NamespacePlan> plan =
        plan_namespaces(spec_of(row.wanted), {.in_user_namespace = true});
    ASSERT_TRUE(plan);
    EXPECT_EQ(plan->shape, row.shape);
    EXPECT_EQ(text(plan->clone_flags), row.cloned);
    EXPECT_EQ(text(plan->enter_first), row.first);
    EXPECT_EQ(text(plan->join), row.join);
    EXPECT_EQ(text(plan->host_flags), row.by_host);
  }
}

TEST(PlanNamespaces, EachIsNewOrJoinedOrNeither) {
  const NamespacePlan plan = *plan_namespaces(spec_of("pid cgroup net+ mnt"), {});
  EXPECT_TRUE(plan.has(spec::NamespaceType::Cgroup) && plan.is_new(spec::NamespaceType::Cgroup));
  EXPECT_TRUE(plan.has(spec::NamespaceType::Network) && !plan.is_new(spec::NamespaceType::Network));
  EXPECT_FALSE(plan.has(spec::NamespaceType::User));
  EXPECT_EQ(text(plan.all_flags()), "pid net mnt cgroup");
}

TEST(PlanNamespaces, PointsAtTheEntry) {
  const NamespacePlan plan = *plan_namespaces(spec_of("pid mnt net+"), {});
  EXPECT_EQ(plan.join.at(0).pointer, "/linux/namespaces/2");
}

TEST(PlanNamespaces, TimeOffsetsNeedANewTimeNamespace) {
  spec::Spec spec = spec_of("time+");
  spec.platform.time_offsets = {{.clock = "monotonic", .seconds = 5}};
  EXPECT_EQ(plan_namespaces(spec, {}).error().pointer(), "/linux/timeOffsets");
  spec.platform.namespaces[0].path.clear();
  EXPECT_EQ(plan_namespaces(spec, {})->time_offsets, spec.platform.time_offsets);
}

TEST(LeavesInitAlone, OnlyWithANewPidNamespaceAndNoHooks) {
  const auto alone = [](const char* namespaces, void (*change)(Plan&)) {
    Plan plan;
    plan.host.namespaces = *plan_namespaces(spec_of(namespaces), {});
    change(plan);
    return leaves_init_alone(plan);
  };
  const auto nothing = [](Plan&) {};
  EXPECT_TRUE(alone("pid mnt", nothing));
  EXPECT_FALSE(alone("mnt", nothing)) << "the host's pid namespace";
  EXPECT_FALSE(alone("pid+ mnt", nothing)) << "somebody else's pid namespace";
  EXPECT_FALSE(alone("pid mnt", [](Plan& plan) { plan.host.prestart.resize(1); }));
  EXPECT_FALSE(alone("pid mnt", [](Plan& plan) { plan.host.create_runtime.resize(1); }));
  EXPECT_FALSE(alone("pid mnt", [](Plan& plan) { plan.init.create_container.resize(1); }));
  EXPECT_FALSE(alone("pid mnt", [](Plan& plan) { plan.init.start_container.resize(1); }));
}

}  // namespace
}  // namespace berth::plan
