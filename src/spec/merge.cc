// SPDX-License-Identifier: Apache-2.0
#include "spec/merge.h"

#include <algorithm>

namespace berth::spec {
namespace {

// Engines write 0 for what they do not set.
template <typename T>
void set(std::optional<T>& target, const std::optional<T>& value) {
  if (value && *value != T{}) target = value;
}

void set(std::string& target, const std::string& value) {
  if (!value.empty()) target = value;
}

template <typename T, typename Same>
void set_each(std::vector<T>& target, const std::vector<T>& values, const Same& same) {
  for (const T& value : values) {
    const auto found =
        std::ranges::find_if(target, [&](const T& other) { return same(other, value); });
    if (found == target.end())
      target.push_back(value);
    else
      *found = value;
  }
}

template <typename T>
T& made(std::optional<T>& value) {
  return value ? *value : value.emplace();
}

constexpr auto kSameDevice = [](const auto& one, const auto& other) {
  return one.major == other.major && one.minor == other.minor;
};

void merge_memory(const MemoryResources& changes, MemoryResources& memory) {
  set(memory.limit, changes.limit);
  set(memory.reservation, changes.reservation);
  set(memory.swap, changes.swap);
  // No limit of memory is none of both.
  if (changes.limit.value_or(0) < 0 && !changes.swap && memory.swap) memory.swap = -1;
  set(memory.kernel, changes.kernel);
  set(memory.kernel_tcp, changes.kernel_tcp);
  if (changes.swappiness) memory.swappiness = changes.swappiness;
  if (changes.disable_oom_killer) memory.disable_oom_killer = changes.disable_oom_killer;
  if (changes.use_hierarchy) memory.use_hierarchy = changes.use_hierarchy;
}

void merge_cpu(const CpuResources& changes, CpuResources& cpu) {
  set(cpu.shares, changes.shares);
  set(cpu.quota, changes.quota);
  if (changes.burst) cpu.burst = changes.burst;
  set(cpu.period, changes.period);
  set(cpu.realtime_runtime, changes.realtime_runtime);
  set(cpu.realtime_period, changes.realtime_period);
  set(cpu.cpus, changes.cpus);
  set(cpu.mems, changes.mems);
  if (changes.idle) cpu.idle = changes.idle;
}

void merge_block_io(const BlockIoResources& changes, BlockIoResources& io) {
  set(io.weight, changes.weight);
  set(io.leaf_weight, changes.leaf_weight);
  set_each(io.weight_device, changes.weight_device, kSameDevice);
  set_each(io.throttle_read_bps, changes.throttle_read_bps, kSameDevice);
  set_each(io.throttle_write_bps, changes.throttle_write_bps, kSameDevice);
  set_each(io.throttle_read_iops, changes.throttle_read_iops, kSameDevice);
  set_each(io.throttle_write_iops, changes.throttle_write_iops, kSameDevice);
}

void merge_network(const NetworkResources& changes, NetworkResources& network) {
  set(network.class_id, changes.class_id);
  set_each(network.priorities, changes.priorities,
           [](const auto& one, const auto& other) { return one.name == other.name; });
}

void merge_resources(const Resources& changes, Resources& resources) {
  if (!changes.devices.empty()) resources.devices = changes.devices;
  if (changes.memory) merge_memory(*changes.memory, made(resources.memory));
  if (changes.cpu) merge_cpu(*changes.cpu, made(resources.cpu));
  if (changes.pids_limit) resources.pids_limit = changes.pids_limit;
  if (changes.block_io) merge_block_io(*changes.block_io, made(resources.block_io));
  set_each(resources.hugepage_limits, changes.hugepage_limits,
           [](const auto& one, const auto& other) { return one.page_size == other.page_size; });
  if (changes.network) merge_network(*changes.network, made(resources.network));
  set_each(resources.rdma, changes.rdma,
           [](const auto& one, const auto& other) { return one.device == other.device; });
  set_each(resources.unified, changes.unified,
           [](const auto& one, const auto& other) { return one.first == other.first; });
}

void merge_process(const ProcessAttributes& changes, Process& process) {
  set_each(process.rlimits, changes.rlimits,
           [](const auto& one, const auto& other) { return one.type == other.type; });
  if (changes.oom_score_adj) process.oom_score_adj = changes.oom_score_adj;
  if (changes.scheduler) process.scheduler = changes.scheduler;
  if (changes.io_priority) process.io_priority = changes.io_priority;
  if (!changes.cpu_affinity.empty()) made(process.exec_cpu_affinity).final = changes.cpu_affinity;
}

}  // namespace

void merge(const Update& changes, Spec& config) {
  if (changes.resources != Resources{})
    merge_resources(changes.resources, made(config.platform.resources));
  if (!changes.l3_cache_schema.empty() || !changes.mem_bw_schema.empty()) {
    IntelRdt& rdt = made(config.platform.intel_rdt);
    set(rdt.l3_cache_schema, changes.l3_cache_schema);
    set(rdt.mem_bw_schema, changes.mem_bw_schema);
  }
  if (config.process) merge_process(changes.process, *config.process);
}

}  // namespace berth::spec
