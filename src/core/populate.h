// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace berth {

// Pages that will be touched for certain are asked for in one call of madvise(2)
// (MADV_POPULATE_READ, MADV_POPULATE_WRITE; Linux 5.14): a fault for each takes many times as long,
// above all in a virtual machine (docs/decisions/0025-pages-ahead.md). Nothing depends on it: an
// older kernel does nothing.

// The next bytes that malloc(3) gives, for what is about to be read and what is made of it; the
// first 100 KB of them.
void populate_heap(size_t size) noexcept;

// In a child that was just made by clone: the program's first text (cmake/text_order.ld), which it
// does not inherit, and copies of the pages of the stack that it is about to write.
void populate_child() noexcept;

// In its parent, while the child is at work: copies of the pages of the stack, which it shares with
// the child, and writes next. Only where the program is berth itself.
void populate_parent() noexcept;

}  // namespace berth
