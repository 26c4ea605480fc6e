// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "security/seccomp_rules.h"

namespace berth::security {

// From `first` on, up to the next range, the decision holds.
struct Range {
  uint32_t first = 0;
  Decision decision = {};
};

// What holds for one value of seccomp_data.arch. The first range starts at 0.
struct Block {
  uint32_t audit = 0;
  bool big_endian = false;
  std::vector<Range> ranges = {};
  uint32_t narrow_from = 0;  // from this number on 32 bits of an argument are compared
};

// Writes the program from its end, so that every jump goes to what is already there: equal answers
// are shared and nothing has to be patched.
class Emitter {
 public:
  // The blocks in the order in which their architecture is asked for; others are killed.
  std::vector<sock_filter> emit(const std::vector<Block>& blocks);

 private:
  using Label = uint32_t;  // position counted from the end

  struct Item;
  struct Width {
    bool wide = true;
    bool big_endian = false;
    bool operator==(const Width&) const = default;
  };
  struct Known {
    Decision decision;
    Width width;
    Label label;
  };
  struct Outcome {
    Label yes;
    Label no;
  };

  Label push(uint16_t code, uint32_t k, uint8_t yes = 0, uint8_t no = 0);
  uint32_t distance(Label label) const;
  Label bring_near(Label label);
  void fall_to(Label label);
  Label answer(uint32_t action);
  Label jump(uint16_t test, uint32_t k, Outcome to);
  Label test_word(uint32_t offset, uint16_t test, uint32_t k, Outcome to);
  Label test_masked(const Condition& condition, uint32_t high, uint32_t low, Outcome to);
  Label test_order(const Condition& condition, uint32_t high, uint32_t low, Outcome to);
  Label condition(const Condition& condition, Width width, Outcome to);
  Label chain(const Decision& decision, Width width);
  Label decision(const Decision& decision, uint32_t number, const Block& block);
  Label item(const Item& item, const Block& block);
  Label tree(const std::vector<Item>& items, size_t from, size_t to, const Block& block);
  Label block(const Block& block);

  std::vector<sock_filter> reversed_;
  std::vector<std::pair<uint32_t, Label>> answers_;  // the nearest instruction that returns this
  std::vector<Known> chains_;
};

}  // namespace berth::security
