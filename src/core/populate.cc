// SPDX-License-Identifier: Apache-2.0
#include "core/populate.h"

#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>

// Of the linker, where the text is in order: the release of berth.
extern "C" [[gnu::weak]] const char berth_text_first[];
extern "C" [[gnu::weak]] const char berth_text_first_end[];

namespace berth {
namespace {

// Pages of the stack: those that a child writes, and those of the frames that its parent returns
// to.
constexpr uintptr_t kStackBelow = 3;
constexpr uintptr_t kStackAbove = 3;
// What is larger than 128 KB does not come from the heap.
constexpr size_t kMostHeap = 100 << 10;

uintptr_t page_size() noexcept { return ::getauxval(AT_PAGESZ); }

uintptr_t address(const void* place) noexcept { return reinterpret_cast<uintptr_t>(place); }

void populate(uintptr_t begin, uintptr_t end, int advice) noexcept {
  begin &= -page_size();
  (void)::madvise(reinterpret_cast<void*>(begin), end - begin, advice);
}

}  // namespace

void populate_heap(size_t size) noexcept {
  size = std::min(size, kMostHeap);
  void* const next = ::malloc(size);
  if (next != nullptr) populate(address(next), address(next) + size, MADV_POPULATE_WRITE);
  ::free(next);
}

void populate_child() noexcept {
  const uintptr_t stack = address(__builtin_frame_address(0));
  if (berth_text_first != nullptr)
    populate(address(berth_text_first), address(berth_text_first_end), MADV_POPULATE_READ);
  populate(stack - kStackBelow * page_size(), stack, MADV_POPULATE_WRITE);
}

void populate_parent() noexcept {
  if (berth_text_first == nullptr) return;
  const uintptr_t stack = address(__builtin_frame_address(0));
  populate(stack, stack + kStackAbove * page_size(), MADV_POPULATE_WRITE);
}

}  // namespace berth
