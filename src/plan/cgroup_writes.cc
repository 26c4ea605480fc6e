// SPDX-License-Identifier: Apache-2.0
#include "plan/cgroup_writes.h"

#include <algorithm>

#include "berth/try.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

constexpr uint64_t kMaxSwappiness = 100;
constexpr uint16_t kMinWeight = 10, kMaxWeight = 1000;

Result<> check_weight(const std::optional<uint16_t>& weight, const std::string& pointer) {
  if (!is_set(weight) || (*weight >= kMinWeight && *weight <= kMaxWeight)) return {};
  return refuse(WriteList::resources_pointer(pointer), ErrorKind::InvalidConfig,
                "weight {} is not from {} to {}", *weight, kMinWeight, kMaxWeight);
}

}  // namespace

std::string number_or_max(int64_t value) { return value < 0 ? "max" : text_of(value); }

Result<> check_memory(const spec::MemoryResources& memory) {
  constexpr const char* kSwap = "/linux/resources/memory/swap";
  if (memory.swappiness && *memory.swappiness > kMaxSwappiness) {
    return refuse("/linux/resources/memory/swappiness", ErrorKind::InvalidConfig,
                  "swappiness {} is not from 0 to 100", *memory.swappiness);
  }
  if (!is_set(memory.swap) || *memory.swap < 0) return {};
  if (!is_set(memory.limit) || *memory.limit < 0) {
    return refuse(kSwap, ErrorKind::InvalidConfig,
                  "memory+swap is limited to {}, but memory is not", *memory.swap);
  }
  if (*memory.swap < *memory.limit) {
    return refuse(kSwap, ErrorKind::InvalidConfig,
                  "memory+swap of {} is less than the memory of {}", *memory.swap, *memory.limit);
  }
  return {};
}

std::optional<int64_t> memory_and_swap(const spec::MemoryResources& memory) {
  if (is_set(memory.swap)) return *memory.swap < 0 ? -1 : *memory.swap;
  // "No limit" for memory alone would be held back by an older limit of both.
  if (is_set(memory.limit) && *memory.limit < 0) return -1;
  return {};
}

Result<> check_block_io(const spec::BlockIoResources& block_io) {
  TRY(check_weight(block_io.weight, "blockIO/weight"));
  TRY(check_weight(block_io.leaf_weight, "blockIO/leafWeight"));
  for (size_t index = 0; index < block_io.weight_device.size(); ++index) {
    const spec::WeightDevice& device = block_io.weight_device[index];
    TRY(check_weight(device.weight, formatted("blockIO/weightDevice/{}/weight", index)));
    TRY(check_weight(device.leaf_weight, formatted("blockIO/weightDevice/{}/leafWeight", index)));
  }
  return {};
}

void add_pids(const spec::Resources& resources, WriteList& writes) {
  if (!resources.pids_limit) return;
  const int64_t limit = *resources.pids_limit;
  // The specification allows 0; every runtime writes 1, and systemd can not say 0 at all.
  // 0 is taken as 1 (docs/cgroups.md), silently as the peers do: tests of engines expect no output.
  writes.add("pids", "pids.max", limit == 0 ? "1" : number_or_max(limit), "pids/limit");
}

void add_rdma(const spec::Resources& resources, WriteList& writes) {
  for (const spec::RdmaLimit& limit : resources.rdma) {
    std::string value = limit.device;
    if (limit.hca_handles) value += formatted(" hca_handle={}", *limit.hca_handles);
    if (limit.hca_objects) value += formatted(" hca_object={}", *limit.hca_objects);
    if (value.size() > limit.device.size())
      writes.add("rdma", "rdma.max", value, "rdma/" + limit.device);
  }
}

Result<> check_hugepage_size(const spec::HugepageLimit& limit, size_t index) {
  const std::string& size = limit.page_size;
  const auto is_digit = [](char each) { return each >= '0' && each <= '9'; };
  const auto unit = std::ranges::find_if_not(size, is_digit);
  const std::string_view rest(unit, size.end());
  if (unit != size.begin() && (rest == "KB" || rest == "MB" || rest == "GB")) return {};
  return refuse(formatted("/linux/resources/hugepageLimits/{}/pageSize", index),
                ErrorKind::InvalidConfig, "page size \"{}\" is not a number with KB, MB or GB",
                size);
}

}  // namespace berth::plan
