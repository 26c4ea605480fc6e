// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "cgroup/device_filter.h"

namespace berth::cgroup {
namespace {

plan::DeviceRulePlan rule(bool allow, char type, int64_t major, int64_t minor,
                          std::string_view access) {
  return {type, major, minor, access.contains('r'), access.contains('w'), access.contains('m'),
          allow};
}

std::string text_of(const DevicePolicy& policy) {
  std::string text = policy.default_allow ? "allow" : "deny";
  for (const auto& exception : policy.exceptions) text += ", " + device_line(exception);
  return text;
}

std::string policy_of(std::vector<plan::DeviceRulePlan> rules) {
  auto policy = device_policy(rules);
  return policy ? text_of(*policy) : "error";
}

TEST(DevicePolicy, FollowsTheRulesInOrder) {
  const auto deny_all = rule(false, 'a', -1, -1, "rwm");
  const auto allow_all = rule(true, 'a', -1, -1, "rwm");
  const auto null = rule(true, 'c', 1, 3, "rwm");
  EXPECT_EQ(policy_of({}), "deny");
  EXPECT_EQ(policy_of({null, null}), "deny, c 1:3 rwm");
  EXPECT_EQ(policy_of({rule(true, 'c', 1, 3, "r"), rule(true, 'c', 1, 3, "w")}), "deny, c 1:3 rw");
  EXPECT_EQ(policy_of({null, deny_all}), "deny");
  EXPECT_EQ(policy_of({null, allow_all}), "allow");
  EXPECT_EQ(policy_of({allow_all, rule(false, 'b', 8, -1, "w")}), "allow, b 8:* w");
  EXPECT_EQ(policy_of({null, rule(false, 'c', 1, 3, "w")}), "deny, c 1:3 rm");
  EXPECT_EQ(policy_of({null, rule(false, 'c', 1, 3, "rwm")}), "deny");
  EXPECT_EQ(policy_of({rule(true, 'c', 1, -1, "rwm"), rule(false, 'c', 1, 3, "r")}), "error");
  EXPECT_EQ(policy_of({rule(true, 'c', 1, -1, "rw"), rule(false, 'c', 1, 3, "m")}),
            "deny, c 1:* rw");
}

TEST(DevicePolicy, ReadsDevicesList) {
  EXPECT_EQ(text_of(*parse_devices_list("a *:* rwm\n")), "allow");
  EXPECT_EQ(text_of(*parse_devices_list("c 1:3 rwm\nb *:* m\n")), "deny, c 1:3 rwm, b *:* m");
  EXPECT_FALSE(parse_devices_list("nonsense\n"));
}

std::string transition(const char* from, std::vector<plan::DeviceRulePlan> to) {
  std::string text;
  for (const DeviceWrite& write :
       device_transition(*parse_devices_list(from), *device_policy(to))) {
    text += (write.allow ? "+" : "-") + write.line + ";";
  }
  return text;
}

TEST(DevicePolicy, ChangesAsLittleAsItCan) {
  const auto null = rule(true, 'c', 1, 3, "rwm");
  EXPECT_EQ(transition("a *:* rwm\n", {null}), "-a;+c 1:3 rwm;");
  EXPECT_EQ(transition("c 1:3 rwm\n", {null}), "");
  EXPECT_EQ(transition("c 1:3 r\n", {null}), "+c 1:3 wm;");
  EXPECT_EQ(transition("c 1:3 rwm\nc 1:5 rw\n", {null}), "-c 1:5 rw;");
  EXPECT_EQ(transition("c 1:5 rw\n", {null}), "+c 1:3 rwm;-c 1:5 rw;");
  EXPECT_EQ(transition("c 1:5 rw\n", {rule(true, 'a', -1, -1, "rwm")}), "+a;");
  EXPECT_EQ(transition("a *:* rwm\n", {rule(true, 'a', -1, -1, "rwm")}), "");
  EXPECT_EQ(
      transition("a *:* rwm\n", {rule(true, 'a', -1, -1, "rwm"), rule(false, 'c', 1, 3, "w")}),
      "+a;-c 1:3 w;");
}

}  // namespace
}  // namespace berth::cgroup
