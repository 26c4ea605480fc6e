// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "berth/try.h"
#include "plan/cgroup_writes.h"
#include "plan/make_plan.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

constexpr const char* kOnlyV1 = "cgroup v2 has nothing like it";

Result<> add_memory(const spec::MemoryResources& memory, WriteList& writes) {
  TRY(check_memory(memory));
  // Swap first: what a smaller limit pushes out needs the place.
  if (const std::optional<int64_t> both = memory_and_swap(memory)) {
    const int64_t swap = *both < 0 ? -1 : *both - *memory.limit;
    CgroupWrite& write = writes.add("memory", "memory.swap.max", number_or_max(swap),
                                    is_set(memory.swap) ? "memory/swap" : "memory/limit");
    write.if_exists = swap <= 0;  // a kernel without swap has neither
  }
  if (is_set(memory.limit)) {
    CgroupWrite& write =
        writes.add("memory", "memory.max", number_or_max(*memory.limit), "memory/limit");
    if (memory.check_before_update.value_or(false)) write.not_below = "memory.current";
  }
  if (is_set(memory.reservation)) {
    writes.add("memory", "memory.low", number_or_max(*memory.reservation), "memory/reservation");
  }
  if (is_set(memory.kernel)) writes.warn("memory/kernel", kOnlyV1);
  if (is_set(memory.kernel_tcp)) writes.warn("memory/kernelTCP", kOnlyV1);
  if (memory.swappiness) writes.warn("memory/swappiness", kOnlyV1);
  if (memory.disable_oom_killer.value_or(false)) writes.warn("memory/disableOOMKiller", kOnlyV1);
  if (memory.use_hierarchy && !*memory.use_hierarchy)
    writes.warn("memory/useHierarchy", "cgroup v2 is always hierarchical");
  return {};
}

// The curve that takes the default of v1 (1024) to the default of v2 (100), and the ends to the
// ends.
uint64_t weight_of_shares(uint64_t shares) {
  constexpr uint64_t kLowest = 2, kHighest = 262144;
  if (shares <= kLowest) return 1;
  if (shares >= kHighest) return 10000;
  const double bits = std::log2(static_cast<double>(shares));
  const double exponent = (bits * bits + 125 * bits) / 612.0 - 7.0 / 34.0;
  return static_cast<uint64_t>(std::ceil(std::pow(10, exponent) - 1e-9));
}

void add_cpu(const spec::CpuResources& cpu, WriteList& writes) {
  // An idle cgroup has no weight, and the kernel refuses one.
  const bool idle = cpu.idle.value_or(0) != 0;
  if (cpu.idle) writes.add("cpu", "cpu.idle", text_of(*cpu.idle), "cpu/idle");
  if (is_set(cpu.shares) && idle)
    writes.note("cpu/shares", "has no effect on a cgroup that is idle");
  else if (is_set(cpu.shares))
    writes.add("cpu", "cpu.weight", text_of(weight_of_shares(*cpu.shares)), "cpu/shares");
  // A burst above the quota is invalid: which of both goes first depends on the old values.
  if (cpu.burst) {
    CgroupWrite& write = writes.add("cpu", "cpu.max.burst", text_of(*cpu.burst), "cpu/burst");
    write.retry_last = true;
    write.if_exists = *cpu.burst == 0;
  }
  if (is_set(cpu.quota) || is_set(cpu.period)) {
    std::string value = is_set(cpu.quota) ? number_or_max(*cpu.quota) : "max";
    // Without a period the kernel keeps the one that is set, at first 100000.
    if (is_set(cpu.period)) value += " " + text_of(*cpu.period);
    writes.add("cpu", "cpu.max", value, is_set(cpu.quota) ? "cpu/quota" : "cpu/period");
  }
  if (is_set(cpu.realtime_runtime)) writes.warn("cpu/realtimeRuntime", kOnlyV1);
  if (is_set(cpu.realtime_period)) writes.warn("cpu/realtimePeriod", kOnlyV1);
  if (!cpu.cpus.empty()) writes.add("cpuset", "cpuset.cpus", cpu.cpus, "cpu/cpus");
  if (!cpu.mems.empty()) writes.add("cpuset", "cpuset.mems", cpu.mems, "cpu/mems");
}

// 10..1000 to 1..10000.
uint64_t io_weight(uint16_t weight) { return 1 + (uint64_t{weight} - 10) * 9999 / 990; }

void add_weight(const std::string& device, uint16_t weight, const std::string& pointer,
                WriteList& writes) {
  CgroupWrite& write = writes.add("io", "io.bfq.weight", device + text_of(weight), pointer);
  write.else_file = "io.weight";
  write.else_value = device + text_of(io_weight(weight));
}

void add_throttles(const std::vector<spec::ThrottleDevice>& devices, const char* key,
                   const char* member, WriteList& writes) {
  for (size_t index = 0; index < devices.size(); ++index) {
    const spec::ThrottleDevice& device = devices[index];
    // 0 lifts the limit on v1; v2 says so with a word.
    const std::string rate = device.rate ? text_of(device.rate) : "max";
    writes.add("io", "io.max", formatted("{}:{} {}={}", device.major, device.minor, key, rate),
               formatted("blockIO/{}/{}", member, index));
  }
}

Result<> add_block_io(const spec::BlockIoResources& block_io, WriteList& writes) {
  TRY(check_block_io(block_io));
  if (is_set(block_io.weight)) add_weight("", *block_io.weight, "blockIO/weight", writes);
  if (is_set(block_io.leaf_weight)) writes.warn("blockIO/leafWeight", kOnlyV1);
  for (size_t index = 0; index < block_io.weight_device.size(); ++index) {
    const spec::WeightDevice& device = block_io.weight_device[index];
    const std::string pointer = formatted("blockIO/weightDevice/{}", index);
    if (is_set(device.weight))
      add_weight(formatted("{}:{} ", device.major, device.minor), *device.weight,
                 pointer + "/weight", writes);
    if (is_set(device.leaf_weight)) writes.warn(pointer + "/leafWeight", kOnlyV1);
  }
  add_throttles(block_io.throttle_read_bps, "rbps", "throttleReadBpsDevice", writes);
  add_throttles(block_io.throttle_write_bps, "wbps", "throttleWriteBpsDevice", writes);
  add_throttles(block_io.throttle_read_iops, "riops", "throttleReadIOPSDevice", writes);
  add_throttles(block_io.throttle_write_iops, "wiops", "throttleWriteIOPSDevice", writes);
  return {};
}

Result<> add_hugepages(const std::vector<spec::HugepageLimit>& limits, WriteList& writes) {
  for (size_t index = 0; index < limits.size(); ++index) {
    TRY(check_hugepage_size(limits[index], index));
    const std::string prefix = "hugetlb." + limits[index].page_size;
    const std::string pointer = formatted("hugepageLimits/{}", index);
    const std::string value = text_of(limits[index].limit);
    // The reservation is what stops a program at mmap instead of by SIGBUS (Linux 5.7).
    writes.add("hugetlb", prefix + ".rsvd.max", value, pointer).if_exists = true;
    writes.add("hugetlb", prefix + ".max", value, pointer);
  }
  return {};
}

// The engine's own means to move, stop and end the container.
bool is_ours(std::string_view file) {
  constexpr std::string_view kOurs[] = {"cgroup.procs", "cgroup.threads", "cgroup.freeze",
                                        "cgroup.kill", "cgroup.type"};
  return std::ranges::find(kOurs, file) != std::end(kOurs);
}

bool is_file_name(std::string_view key) {
  const size_t dot = key.find('.');
  const bool plain = std::ranges::none_of(key, [](char each) {
    return each == '/' || static_cast<unsigned char>(each) <= ' ' || each == 0x7f;
  });
  return plain && dot != 0 && dot != key.npos && dot + 1 < key.size();
}

std::string escaped(std::string_view key) {
  std::string text;
  for (const char each : key)
    text += each == '~' ? "~0" : each == '/' ? "~1" : std::string(1, each);
  return text;
}

Result<> add_unified(const StringMap& unified, WriteList& writes) {
  for (const auto& [key, value] : unified) {
    const std::string pointer = "unified/" + escaped(key);
    if (!is_file_name(key) || is_ours(key)) {
      return refuse(WriteList::resources_pointer(pointer), ErrorKind::InvalidConfig,
                    "the specified key has not the form CONTROLLER.VALUE `{}`", key);
    }
    const std::string_view controller = std::string_view(key).substr(0, key.find('.'));
    // Files such as io.max take one line a write.
    for (size_t start = 0; start < value.size();) {
      const size_t end = std::min(value.find('\n', start), value.size());
      if (end > start)
        writes.add(controller == "cgroup" ? "" : controller, key, value.substr(start, end - start),
                   pointer);
      start = end + 1;
    }
  }
  return {};
}

}  // namespace

Result<std::vector<CgroupWrite>> plan_cgroup_v2(const spec::Resources& resources,
                                                std::vector<std::string>& warnings) {
  WriteList writes(warnings);
  if (resources.memory) TRY(add_memory(*resources.memory, writes));
  if (resources.cpu) add_cpu(*resources.cpu, writes);
  add_pids(resources, writes);
  if (resources.block_io) TRY(add_block_io(*resources.block_io, writes));
  TRY(add_hugepages(resources.hugepage_limits, writes));
  if (resources.network && is_set(resources.network->class_id))
    writes.warn("network/classID", kOnlyV1);
  if (resources.network && !resources.network->priorities.empty())
    writes.warn("network/priorities", kOnlyV1);
  add_rdma(resources, writes);
  TRY(add_unified(resources.unified, writes));
  return writes.take();
}

}  // namespace berth::plan
