// SPDX-License-Identifier: Apache-2.0
#include "core/populate.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace berth {
namespace {

// Pages of the stack: those that a child writes, and those of the frames that its parent returns
// to.
constexpr uintptr_t kStackBelow = 3;
constexpr uintptr_t kStackAbove = 3;

struct Range {
  uintptr_t begin = 0;
  uintptr_t end = 0;
};

uintptr_t page_size = 4096;
Range program_text;
Range program_heap;

void populate(const Range& range, int advice) noexcept {
  const uintptr_t begin = range.begin & -page_size;
  if (begin < range.end) (void)::madvise(reinterpret_cast<void*>(begin), range.end - begin, advice);
}

// What malloc(3) will give next.
Range next_of_heap(size_t size) noexcept {
  void* const next = ::malloc(size);
  const auto begin = reinterpret_cast<uintptr_t>(next);
  ::free(next);
  return {.begin = begin, .end = begin == 0 ? 0 : begin + size};
}

}  // namespace

void populate_program(size_t heap, const char* text, const char* text_end) noexcept {
  page_size = static_cast<uintptr_t>(::sysconf(_SC_PAGESIZE));
  program_text = {.begin = reinterpret_cast<uintptr_t>(text),
                  .end = reinterpret_cast<uintptr_t>(text_end)};
  program_heap = next_of_heap(heap);
  populate(program_heap, MADV_POPULATE_WRITE);
}

void populate_heap(size_t size) noexcept {
  constexpr size_t kMost = 100 << 10;  // what is larger than 128 KB is no part of the heap
  if (program_heap.begin == 0) return;
  populate(next_of_heap(size < kMost ? size : kMost), MADV_POPULATE_WRITE);
}

void populate_child() noexcept {
  const auto stack = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  populate(program_text, MADV_POPULATE_READ);
  populate({.begin = stack - kStackBelow * page_size, .end = stack}, MADV_POPULATE_WRITE);
}

void populate_parent() noexcept {
  if (program_heap.begin == 0) return;
  const auto stack = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  populate(program_heap, MADV_POPULATE_WRITE);
  populate({.begin = stack, .end = stack + kStackAbove * page_size}, MADV_POPULATE_WRITE);
}

}  // namespace berth
