// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "berth/error.h"
#include "security/seccomp_names.h"
#include "spec/spec.h"

namespace berth::security {

// (argument & mask) op value. Only MaskedEqual has a mask that is not all ones.
struct Condition {
  uint32_t index = 0;
  spec::SeccompOperator op = spec::SeccompOperator::Equal;
  uint64_t value = 0;
  uint64_t mask = ~uint64_t{0};

  bool operator==(const Condition&) const = default;
};

// Holds when all conditions hold; they are in the order of their arguments, at most one for each.
struct Rule {
  uint32_t action = 0;  // SECCOMP_RET_* with its data
  std::vector<Condition> conditions = {};

  bool operator==(const Rule&) const = default;
};

// A rule of the profile for a system call by its index in the table.
struct NamedRule {
  int syscall = 0;
  uint32_t rule = 0;
};

// The profile, checked and in the kernel's terms; still of no architecture.
struct Ruleset {
  uint32_t default_action = 0;
  bool answers_enosys = false;  // to calls newer than the newest that is named
  std::vector<Rule> rules = {};
  std::vector<NamedRule> named = {};  // in the profile's order
  std::vector<int> mentioned = {};    // every known name, also of rules without effect
  std::vector<std::string> unknown = {};
  bool notifies = false;
};

Result<Ruleset> read_rules(const spec::Seccomp& profile);

// What happens to one system call number: the first rule of the chain that holds, else the default;
// without a chain always the action.
struct Decision {
  uint32_t action = 0;
  std::vector<Rule> chain = {};

  bool operator==(const Decision&) const = default;
};

// Tells of all numbers of that architecture for which the profile says something, ascending.
void decide(const Ruleset& rules, const Architecture& architecture,
            const std::function<void(uint32_t number, Decision)>& tell);

// The first number to which ENOSYS is the answer; 0: to none.
uint32_t first_unheard(const Ruleset& rules, const Architecture& architecture);

}  // namespace berth::security
