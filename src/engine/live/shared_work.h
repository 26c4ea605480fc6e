// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <errno.h>
#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <utility>

#include "core/context.h"

namespace berth::engine {

// What a process is to do in a container, and what became of it: in memory that it shares with its
// parent. Work has a span `items`.
template <typename Work, typename Item>
class SharedWork {
 public:
  SharedWork() = default;
  static Result<SharedWork> make(size_t count) {
    SharedWork shared;
    shared.size_ = sizeof(Work) + count * sizeof(Item);
    void* const memory =
        ::mmap(nullptr, shared.size_, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return system_error(errno, "map memory");
    shared.work_ = new (memory) Work();
    auto* const items = reinterpret_cast<Item*>(shared.work_ + 1);
    for (size_t i = 0; i < count; ++i) new (items + i) Item();
    shared.work_->items = {items, count};
    return shared;
  }
  SharedWork(SharedWork&& other) noexcept
      : work_(std::exchange(other.work_, nullptr)), size_(other.size_) {}
  SharedWork& operator=(SharedWork&& other) noexcept {
    std::swap(work_, other.work_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~SharedWork() {
    if (work_ != nullptr) ::munmap(work_, size_);
  }
  explicit operator bool() const { return work_ != nullptr; }
  Work* operator->() const { return work_; }
  Work& operator*() const { return *work_; }

 private:
  Work* work_ = nullptr;
  size_t size_ = 0;
};

}  // namespace berth::engine
