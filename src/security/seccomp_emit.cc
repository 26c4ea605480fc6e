// SPDX-License-Identifier: Apache-2.0
#include "security/seccomp_emit.h"

#include <linux/seccomp.h>
#include <stddef.h>

#include <algorithm>

namespace berth::security {

// Values of one jump are 8 bits wide.
constexpr uint32_t kFarthest = 255;

// A range, and single numbers in it that have another decision: one comparison each instead of two.
struct Emitter::Item {
  const Range* range = nullptr;
  std::vector<const Range*> exceptions = {};
};

Emitter::Label Emitter::push(uint16_t code, uint32_t k, uint8_t yes, uint8_t no) {
  reversed_.push_back({code, yes, no, k});
  return static_cast<Label>(reversed_.size() - 1);
}

// How far the next instruction would have to jump.
uint32_t Emitter::distance(Label label) const {
  return static_cast<uint32_t>(reversed_.size()) - label - 1;
}

// A place within reach that leads to the label.
Emitter::Label Emitter::bring_near(Label label) {
  const sock_filter target = reversed_[label];
  if (target.code != (BPF_RET | BPF_K)) return push(BPF_JMP | BPF_JA, distance(label));
  for (auto& [action, nearest] : answers_) {
    if (action != target.k) continue;
    if (distance(nearest) > kFarthest) nearest = push(target.code, target.k);
    return nearest;
  }
  return label;
}

void Emitter::fall_to(Label label) {
  if (distance(label) == 0) return;
  const sock_filter target = reversed_[label];
  if (target.code == (BPF_RET | BPF_K))
    push(target.code, target.k);
  else
    push(BPF_JMP | BPF_JA, distance(label));
}

Emitter::Label Emitter::answer(uint32_t action) {
  for (const auto& [known, label] : answers_)
    if (known == action) return label;
  const Label label = push(BPF_RET | BPF_K, action);
  answers_.emplace_back(action, label);
  return label;
}

Emitter::Label Emitter::jump(uint16_t test, uint32_t k, Outcome to) {
  while (distance(to.yes) > kFarthest || distance(to.no) > kFarthest) {
    Label& far = distance(to.yes) > kFarthest ? to.yes : to.no;
    far = bring_near(far);
  }
  return push(BPF_JMP | BPF_K | test, k, static_cast<uint8_t>(distance(to.yes)),
              static_cast<uint8_t>(distance(to.no)));
}

Emitter::Label Emitter::test_word(uint32_t offset, uint16_t test, uint32_t k, Outcome to) {
  jump(test, k, to);
  return push(BPF_LD | BPF_W | BPF_ABS, offset);
}

Emitter::Label Emitter::test_masked(const Condition& condition, uint32_t high, uint32_t low,
                                    Outcome to) {
  Label label = to.yes;
  const auto test = [&](uint32_t offset, uint64_t value, uint64_t mask) {
    if (static_cast<uint32_t>(mask) == 0) return;
    jump(BPF_JEQ, static_cast<uint32_t>(value), {label, to.no});
    if (static_cast<uint32_t>(mask) != UINT32_MAX)
      push(BPF_ALU | BPF_AND | BPF_K, static_cast<uint32_t>(mask));
    label = push(BPF_LD | BPF_W | BPF_ABS, offset);
  };
  test(low, condition.value, condition.mask);
  if (high != 0) test(high, condition.value >> 32, condition.mask >> 32);
  return label;
}

// >= and >; < and <= are these with the outcomes exchanged.
Emitter::Label Emitter::test_order(const Condition& condition, uint32_t high, uint32_t low,
                                   Outcome to) {
  using enum spec::SeccompOperator;
  const bool strict = condition.op == Greater || condition.op == LessOrEqual;
  const auto value_low = static_cast<uint32_t>(condition.value);
  const auto value_high = static_cast<uint32_t>(condition.value >> 32);
  const Label low_words = test_word(low, strict ? BPF_JGT : BPF_JGE, value_low, to);
  if (high == 0) return low_words;
  const Label equal = jump(BPF_JEQ, value_high, {low_words, to.no});
  return test_word(high, BPF_JGT, value_high, {to.yes, equal});
}

Emitter::Label Emitter::condition(const Condition& condition, Width width, Outcome to) {
  using enum spec::SeccompOperator;
  const auto base =
      static_cast<uint32_t>(offsetof(seccomp_data, args) + size_t{8} * condition.index);
  const uint32_t low = width.big_endian ? base + 4 : base;
  const uint32_t high = !width.wide ? 0 : (width.big_endian ? base : base + 4);
  const Outcome opposite{to.no, to.yes};
  switch (condition.op) {
    case Equal:
    case MaskedEqual: return test_masked(condition, high, low, to);
    case NotEqual: return test_masked(condition, high, low, opposite);
    case Less:
    case LessOrEqual: return test_order(condition, high, low, opposite);
    case Greater:
    case GreaterOrEqual: break;
  }
  return test_order(condition, high, low, to);
}

Emitter::Label Emitter::chain(const Decision& decision, Width width) {
  for (const Known& known : chains_)
    if (known.width == width && known.decision == decision) return known.label;
  Label next = answer(decision.action);
  for (auto rule = decision.chain.rbegin(); rule != decision.chain.rend(); ++rule) {
    Label holds = answer(rule->action);
    for (auto each = rule->conditions.rbegin(); each != rule->conditions.rend(); ++each)
      holds = condition(*each, width, {holds, next});
    next = holds;
  }
  chains_.push_back({decision, width, next});
  return next;
}

Emitter::Label Emitter::decision(const Decision& decision, uint32_t number, const Block& block) {
  if (decision.chain.empty()) return answer(decision.action);
  return chain(decision, {number < block.narrow_from, block.big_endian});
}

Emitter::Label Emitter::item(const Item& item, const Block& block) {
  Label next = decision(item.range->decision, item.range->first, block);
  for (auto each = item.exceptions.rbegin(); each != item.exceptions.rend(); ++each) {
    const Label other = decision((*each)->decision, (*each)->first, block);
    next = jump(BPF_JEQ, (*each)->first, {other, next});
  }
  return next;
}

Emitter::Label Emitter::tree(const std::vector<Item>& items, size_t from, size_t to,
                             const Block& block) {
  if (to - from == 1) return item(items[from], block);
  const size_t middle = from + (to - from) / 2;
  const Label right = tree(items, middle, to, block);
  const Label left = tree(items, from, middle, block);
  return jump(BPF_JGE, items[middle].range->first, {right, left});
}

Emitter::Label Emitter::block(const Block& block) {
  constexpr size_t kMaxExceptions = 2;
  const std::vector<Range>& ranges = block.ranges;
  std::vector<Item> items;
  items.reserve(ranges.size());
  for (size_t i = 0; i < ranges.size(); ++i) {
    Item item{&ranges[i], {}};
    while (item.exceptions.size() < kMaxExceptions && i + 2 < ranges.size() &&
           ranges[i + 2].first == ranges[i + 1].first + 1 &&
           ranges[i + 2].decision == item.range->decision) {
      item.exceptions.push_back(&ranges[i + 1]);
      i += 2;
    }
    items.push_back(std::move(item));
  }
  fall_to(tree(items, 0, items.size(), block));
  return push(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
}

std::vector<sock_filter> Emitter::emit(const std::vector<Block>& blocks) {
  reversed_.reserve(512);
  std::vector<Label> starts;
  for (auto each = blocks.rbegin(); each != blocks.rend(); ++each) starts.push_back(block(*each));
  Label next = answer(SECCOMP_RET_KILL_THREAD);
  for (size_t i = 0; i < starts.size(); ++i) {
    const Block& asked = blocks[blocks.size() - 1 - i];
    next = jump(BPF_JEQ, asked.audit, {starts[i], next});
  }
  fall_to(next);
  push(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
  return {reversed_.rbegin(), reversed_.rend()};
}

}  // namespace berth::security
