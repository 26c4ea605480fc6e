// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.h"

namespace berth::plan {
namespace {

DeviceRulePlan rule_of(const spec::DeviceRule& rule) {
  DeviceRulePlan planned = {.type = rule.type.value_or('a'),
                            .major = rule.major.value_or(-1),
                            .minor = rule.minor.value_or(-1),
                            .allow = rule.allow};
  const bool all = rule.access.empty();
  planned.read = all || rule.access.find('r') != std::string::npos;
  planned.write = all || rule.access.find('w') != std::string::npos;
  planned.mknod = all || rule.access.find('m') != std::string::npos;
  return planned;
}

constexpr DeviceRulePlan allow(char type, int64_t major, int64_t minor) {
  return {type, major, minor, true, true, true, true};
}
constexpr DeviceRulePlan allow_mknod(char type) { return {type, -1, -1, false, false, true, true}; }

// What a container must have to work, whatever the rules say: the default devices, terminals, and
// to make nodes (which it may then not open).
constexpr DeviceRulePlan kTail[] = {
    allow_mknod('c'),    allow_mknod('b'), allow('c', 1, 3),  // null
    allow('c', 1, 8),                                         // random
    allow('c', 1, 7),                                         // full
    allow('c', 5, 0),                                         // tty
    allow('c', 1, 5),                                         // zero
    allow('c', 1, 9),                                         // urandom
    allow('c', 136, -1),                                      // pts/*
    allow('c', 5, 2),                                         // ptmx
};

}  // namespace

std::vector<DeviceRulePlan> plan_device_rules(const spec::Spec& spec) {
  // Nothing is allowed that was not asked for: without this an empty list would allow all.
  std::vector<DeviceRulePlan> rules = {{.type = 'a', .read = true, .write = true, .mknod = true}};
  if (spec.platform.resources) {
    for (const spec::DeviceRule& rule : spec.platform.resources->devices)
      rules.push_back(rule_of(rule));
  }
  rules.insert(rules.end(), std::begin(kTail), std::end(kTail));
  return rules;
}

}  // namespace berth::plan
