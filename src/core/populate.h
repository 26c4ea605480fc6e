// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>

namespace berth {

// Pages that will be touched for certain are asked for in one call of madvise(2)
// (MADV_POPULATE_READ, MADV_POPULATE_WRITE; Linux 5.14): a fault for each takes many times as long,
// above all in a virtual machine (docs/decisions/0025-pages-ahead.md). Nothing depends on it: an
// older kernel does nothing.

// For a program to say once, before it has threads: how much of the heap it is about to write, and
// which of its text a child of it executes. Asks for the heap at once. In a program that does not
// say it, and in each that uses libberth, the pages of a child's stack are asked for and no others.
void populate_program(size_t heap, const char* text, const char* text_end) noexcept;

// The next bytes that malloc(3) gives, for what is about to be read and what is made of it. Only in
// a program that has said the above.
void populate_heap(size_t size) noexcept;

// In a child that was just made by clone: its text, which it does not inherit, and copies of the
// pages of the stack that it is about to write.
void populate_child() noexcept;

// In its parent, which writes to pages that it shares with the child: while the child is at work.
void populate_parent() noexcept;

}  // namespace berth
