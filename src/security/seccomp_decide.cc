// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <span>

#include "security/seccomp_rules.h"

namespace berth::security {
namespace {

using spec::SeccompOperator;

// One rule for one number; call != 0: through socketcall(2) or ipc(2).
struct Use {
  uint32_t rule = 0;
  uint32_t call = 0;
};

// The uses in the profile's order, and keys that sort them by number: number << 32 | place in uses.
// Sorting is half of the compiler's time; plain integers sort fastest.
struct Uses {
  std::vector<Use> uses = {};
  std::vector<uint64_t> sorted = {};

  void add(int64_t number, Use use) {
    sorted.push_back(static_cast<uint64_t>(number) << 32 | uses.size());
    uses.push_back(use);
  }
  const Use& at(uint64_t key) const { return uses[static_cast<uint32_t>(key)]; }
};

uint32_t number_of(uint64_t key) { return static_cast<uint32_t>(key >> 32); }

Uses collect_uses(const Ruleset& rules, const Architecture& architecture) {
  Uses collected;
  collected.uses.reserve(rules.named.size() + rules.named.size() / 8);
  collected.sorted.reserve(collected.uses.capacity());
  for (const NamedRule& named : rules.named) {
    if (const int64_t number = syscall_number(named.syscall, architecture); number >= 0)
      collected.add(number, {named.rule, 0});
    if (const Multiplexed via = find_multiplexed(named.syscall, architecture); via.call != 0)
      collected.add(via.number, {named.rule, via.call});
  }
  std::ranges::sort(collected.sorted);
  return collected;
}

// The rule as this architecture can check it: 32-bit ones see the low words only; a condition that
// always holds is left out.
Rule bind(const Rule& rule, uint32_t call, const Architecture& architecture) {
  Rule bound{rule.action};
  bound.conditions.reserve(rule.conditions.size() + 1);
  if (call != 0) bound.conditions.push_back({0, SeccompOperator::Equal, call});
  for (Condition condition : rule.conditions) {
    if (call != 0 && condition.index == 0) continue;
    if (!architecture.wide) {
      condition.value &= UINT32_MAX;
      condition.mask &= UINT32_MAX;
    }
    if (condition.mask != 0) bound.conditions.push_back(condition);
  }
  return bound;
}

int operator_class(SeccompOperator op) {
  switch (op) {
    case SeccompOperator::Equal:
    case SeccompOperator::NotEqual:
    case SeccompOperator::MaskedEqual: return 0;
    case SeccompOperator::Less:
    case SeccompOperator::LessOrEqual: return 1;
    default: return 2;
  }
}

// libseccomp's order of what it looks at first: later arguments, equality, then the narrower bound;
// a rule before those that only add conditions to it.
bool goes_before(const Condition& a, const Condition& b) {
  if (a.index != b.index) return a.index > b.index;
  const int class_a = operator_class(a.op);
  const int class_b = operator_class(b.op);
  if (class_a != class_b) return class_a < class_b;
  return class_a == 1 ? a.value < b.value : a.value > b.value;
}

bool rule_goes_before(const Rule& a, const Rule& b) {
  return std::ranges::lexicographical_compare(a.conditions, b.conditions, goes_before);
}

// A rule without conditions beats all others, and the first of these its likes: libseccomp's way.
Decision combine(const Ruleset& rules, const Uses& uses, std::span<const uint64_t> keys,
                 const Architecture& architecture) {
  Decision decision{rules.default_action};
  for (const uint64_t key : keys) {
    const Use& use = uses.at(key);
    const Rule& rule = rules.rules[use.rule];
    if (rule.conditions.empty() && use.call == 0) return {rule.action};
    Rule bound = bind(rule, use.call, architecture);
    if (bound.conditions.empty()) return {rule.action};
    const auto place = std::ranges::upper_bound(decision.chain, bound, rule_goes_before);
    decision.chain.insert(place, std::move(bound));
  }
  return decision;
}

}  // namespace

void decide(const Ruleset& rules, const Architecture& architecture,
            const std::function<void(uint32_t number, Decision)>& tell) {
  const Uses uses = collect_uses(rules, architecture);
  const std::span<const uint64_t> keys = uses.sorted;
  for (size_t first = 0; first < keys.size();) {
    const uint32_t number = number_of(keys[first]);
    size_t last = first;
    while (last < keys.size() && number_of(keys[last]) == number) ++last;
    tell(number, combine(rules, uses, keys.subspan(first, last - first), architecture));
    first = last;
  }
}

}  // namespace berth::security
