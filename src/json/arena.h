// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory_resource>

#include "json/value.h"

namespace berth::json {

// The memory of a document: one block as a rule, freed as a whole. Strings without escapes take
// none.
struct Document::Arena {
  explicit Arena(size_t text_size) : memory(text_size / 2 + 1024) {}

  std::pmr::monotonic_buffer_resource memory;
  Value root;
};

}  // namespace berth::json
