// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/context.h"
#include "plan/plan.h"

namespace berth::plan {

// Collects the writes of one plan. Pointers are below /linux/resources.
class WriteList {
 public:
  explicit WriteList(std::vector<std::string>& warnings) : warnings_(warnings) {}

  CgroupWrite& add(std::string_view controller, std::string file, std::string value,
                   std::string_view pointer) {
    return writes_.emplace_back(CgroupWrite{.controller = std::string(controller),
                                            .file = std::move(file),
                                            .value = std::move(value),
                                            .pointer = resources_pointer(pointer)});
  }
  void warn(std::string_view pointer, std::string_view why) {
    warnings_.push_back(formatted("{} is ignored: {}", resources_pointer(pointer), why));
  }
  // A change of meaning that the user should know of.
  void note(std::string_view pointer, std::string_view what) {
    warnings_.push_back(formatted("{}: {}", resources_pointer(pointer), what));
  }
  std::vector<CgroupWrite> take() { return std::move(writes_); }

  static std::string resources_pointer(std::string_view pointer) {
    return "/linux/resources/" + std::string(pointer);
  }

 private:
  std::vector<CgroupWrite> writes_ = {};
  std::vector<std::string>& warnings_;
};

// Engines write 0 for what they do not set.
template <typename T>
bool is_set(const std::optional<T>& value) {
  return value && *value != 0;
}

template <typename T>
std::string text_of(T value) {
  return formatted("{}", value);
}
// v2's word for no limit.
std::string number_or_max(int64_t value);

// Rules that hold on both versions.
Result<> check_memory(const spec::MemoryResources& memory);
Result<> check_block_io(const spec::BlockIoResources& block_io);
// Memory and swap together, as config.json means it: absent, "no limit" (-1) or bytes.
std::optional<int64_t> memory_and_swap(const spec::MemoryResources& memory);
void add_pids(const spec::Resources& resources, WriteList& writes);
void add_rdma(const spec::Resources& resources, WriteList& writes);
Result<> check_hugepage_size(const spec::HugepageLimit& limit, size_t index);

}  // namespace berth::plan
