// SPDX-License-Identifier: Apache-2.0
// tests/golden/NAME: a bundle's config.json and the plan that is made of it on one of three hosts.
// After a change that is meant, BERTH_UPDATE_GOLDEN=1 unit_tests --gtest_filter='Golden*' writes
// the plans anew; the diff is for the reviewer.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "json/value.h"
#include "plan/make_plan.h"
#include "spec/read_spec.h"

namespace berth::plan {
namespace {

HostFacts root_on_v2() {
  return {
      .capabilities = ~uint64_t{0},
      .cgroup_layout = CgroupLayout::V2,
      .hierarchies = {{.mountpoint = "/sys/fs/cgroup", .own_path = "/user.slice", .is_v2 = true}}};
}

HostFacts root_on_hybrid() {
  const auto v1 = [](std::vector<std::string> controllers, const char* name) {
    return CgroupHierarchy{.controllers = std::move(controllers),
                           .mountpoint = std::string("/sys/fs/cgroup/") + name,
                           .own_path = "/"};
  };
  return {
      .capabilities = ~uint64_t{0},
      .cgroup_layout = CgroupLayout::Hybrid,
      .hierarchies = {v1({"cpu", "cpuacct"}, "cpu,cpuacct"),
                      v1({"memory"}, "memory"),
                      v1({"devices"}, "devices"),
                      v1({"pids"}, "pids"),
                      v1({"freezer"}, "freezer"),
                      v1({"name=systemd"}, "systemd"),
                      {.mountpoint = "/sys/fs/cgroup/unified", .own_path = "/", .is_v2 = true}}};
}

HostFacts user_on_v2() {
  HostFacts facts = root_on_v2();
  facts.euid = facts.egid = 1000;
  facts.capabilities = 0;
  return facts;
}

struct Case {
  const char* name;
  HostFacts (*facts)();
};

constexpr Case kCases[] = {{"default", root_on_v2},   {"engine-hybrid", root_on_hybrid},
                           {"rootless", user_on_v2},  {"mapped-with-hooks", root_on_v2},
                           {"pod", root_on_v2},       {"priorities", root_on_v2},
                           {"interfaces", root_on_v2}};

std::string directory_of(const Case& test) {
  return std::string(BERTH_SOURCE_DIR "/tests/golden/") + test.name;
}

std::string text_of(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::string plan_of(const Case& test) {
  const Result<spec::Spec> spec =
      spec::read_valid_spec(text_of(directory_of(test) + "/config.json"));
  if (!spec) return spec.error().message();
  const HostFacts facts = test.facts();
  const Request request{.id = "golden", .bundle = "/bundle", .rootless = facts.euid != 0};
  const Result<Plan> plan = make_plan(*spec, facts, request);
  return plan ? dump(*plan) : plan.error().message();
}

class Golden : public testing::TestWithParam<Case> {};

TEST_P(Golden, Plan) {
  const std::string path = directory_of(GetParam()) + "/plan.json";
  const std::string text = plan_of(GetParam());
  ASSERT_TRUE(json::parse(text)) << text;
  if (std::getenv("BERTH_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, text_of(path));
}

INSTANTIATE_TEST_SUITE_P(Bundles, Golden, testing::ValuesIn(kCases), [](const auto& test) {
  std::string name = test.param.name;
  std::erase(name, '-');
  return name;
});

}  // namespace
}  // namespace berth::plan
