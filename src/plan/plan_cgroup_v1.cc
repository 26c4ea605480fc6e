// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "plan/cgroup_writes.h"
#include "plan/make_plan.h"
#include "plan/refuse.h"

namespace berth::plan {
namespace {

constexpr const char* kNoKernelMemory = "the kernel has no limit of kernel memory";

Result<> add_memory(const spec::MemoryResources& memory, WriteList& writes) {
  TRY(check_memory(memory));
  // The kernel holds limit <= memory+swap at every moment: growing, the limit goes last.
  if (is_set(memory.limit)) {
    writes.add("memory", "memory.limit_in_bytes", text_of(*memory.limit), "memory/limit")
        .retry_last = true;
  }
  if (const std::optional<int64_t> both = memory_and_swap(memory)) {
    const bool asked = is_set(memory.swap);
    CgroupWrite& write = writes.add("memory", "memory.memsw.limit_in_bytes", text_of(*both),
                                    asked ? "memory/swap" : "memory/limit");
    write.if_exists = *both < 0;  // a kernel without swap accounting limits nothing
  }
  if (is_set(memory.reservation)) {
    writes.add("memory", "memory.soft_limit_in_bytes", text_of(*memory.reservation),
               "memory/reservation");
  }
  if (is_set(memory.kernel)) writes.warn("memory/kernel", kNoKernelMemory);
  if (is_set(memory.kernel_tcp)) {
    writes.add("memory", "memory.kmem.tcp.limit_in_bytes", text_of(*memory.kernel_tcp),
               "memory/kernelTCP");
  }
  if (memory.swappiness)
    writes.add("memory", "memory.swappiness", text_of(*memory.swappiness), "memory/swappiness");
  if (memory.disable_oom_killer.value_or(false))
    writes.add("memory", "memory.oom_control", "1", "memory/disableOOMKiller");
  if (memory.use_hierarchy && !*memory.use_hierarchy)
    writes.warn("memory/useHierarchy", "the kernel is always hierarchical");
  return {};
}

void add_cpu(const spec::CpuResources& cpu, WriteList& writes) {
  // The kernel refuses shares while a cgroup is idle.
  const bool wakes = cpu.idle.value_or(1) == 0;
  if (wakes) writes.add("cpu", "cpu.idle", "0", "cpu/idle");
  if (is_set(cpu.shares)) writes.add("cpu", "cpu.shares", text_of(*cpu.shares), "cpu/shares");
  // Each of a pair may be refused while the other has its old value.
  if (cpu.burst) {
    CgroupWrite& write = writes.add("cpu", "cpu.cfs_burst_us", text_of(*cpu.burst), "cpu/burst");
    write.retry_last = true;
    write.if_exists = *cpu.burst == 0;
  }
  if (is_set(cpu.period))
    writes.add("cpu", "cpu.cfs_period_us", text_of(*cpu.period), "cpu/period").retry_last = true;
  if (is_set(cpu.quota))
    writes.add("cpu", "cpu.cfs_quota_us", text_of(*cpu.quota < 0 ? -1 : *cpu.quota), "cpu/quota")
        .retry_last = true;
  if (is_set(cpu.realtime_period)) {
    writes.add("cpu", "cpu.rt_period_us", text_of(*cpu.realtime_period), "cpu/realtimePeriod")
        .retry_last = true;
  }
  if (is_set(cpu.realtime_runtime)) {
    writes.add("cpu", "cpu.rt_runtime_us", text_of(*cpu.realtime_runtime), "cpu/realtimeRuntime")
        .retry_last = true;
  }
  if (cpu.idle && !wakes) writes.add("cpu", "cpu.idle", text_of(*cpu.idle), "cpu/idle");
  if (!cpu.cpus.empty()) writes.add("cpuset", "cpuset.cpus", cpu.cpus, "cpu/cpus");
  if (!cpu.mems.empty()) writes.add("cpuset", "cpuset.mems", cpu.mems, "cpu/mems");
}

// Linux 5.0 left weights to bfq alone; older ones have the names of cfq.
void add_weight(std::string_view suffix, const std::string& value, const std::string& pointer,
                WriteList& writes) {
  CgroupWrite& write = writes.add("blkio", "blkio.bfq." + std::string(suffix), value, pointer);
  write.else_file = "blkio." + std::string(suffix);
  write.else_value = value;
}

void add_throttles(const std::vector<spec::ThrottleDevice>& devices, const char* file,
                   const char* member, WriteList& writes) {
  for (size_t index = 0; index < devices.size(); ++index) {
    const spec::ThrottleDevice& device = devices[index];
    writes.add("blkio", file, formatted("{}:{} {}", device.major, device.minor, device.rate),
               formatted("blockIO/{}/{}", member, index));
  }
}

Result<> add_block_io(const spec::BlockIoResources& block_io, WriteList& writes) {
  TRY(check_block_io(block_io));
  if (is_set(block_io.weight))
    add_weight("weight", text_of(*block_io.weight), "blockIO/weight", writes);
  if (is_set(block_io.leaf_weight)) {
    writes.add("blkio", "blkio.leaf_weight", text_of(*block_io.leaf_weight), "blockIO/leafWeight");
  }
  for (size_t index = 0; index < block_io.weight_device.size(); ++index) {
    const spec::WeightDevice& device = block_io.weight_device[index];
    const std::string name = formatted("{}:{} ", device.major, device.minor);
    const std::string pointer = formatted("blockIO/weightDevice/{}", index);
    if (is_set(device.weight))
      add_weight("weight_device", name + text_of(*device.weight), pointer + "/weight", writes);
    if (is_set(device.leaf_weight)) {
      writes.add("blkio", "blkio.leaf_weight_device", name + text_of(*device.leaf_weight),
                 pointer + "/leafWeight");
    }
  }
  add_throttles(block_io.throttle_read_bps, "blkio.throttle.read_bps_device",
                "throttleReadBpsDevice", writes);
  add_throttles(block_io.throttle_write_bps, "blkio.throttle.write_bps_device",
                "throttleWriteBpsDevice", writes);
  add_throttles(block_io.throttle_read_iops, "blkio.throttle.read_iops_device",
                "throttleReadIOPSDevice", writes);
  add_throttles(block_io.throttle_write_iops, "blkio.throttle.write_iops_device",
                "throttleWriteIOPSDevice", writes);
  return {};
}

Result<> add_hugepages(const std::vector<spec::HugepageLimit>& limits, WriteList& writes) {
  for (size_t index = 0; index < limits.size(); ++index) {
    TRY(check_hugepage_size(limits[index], index));
    const std::string prefix = "hugetlb." + limits[index].page_size;
    const std::string pointer = formatted("hugepageLimits/{}", index);
    const std::string value = text_of(limits[index].limit);
    // The reservation is what stops a program at mmap instead of by SIGBUS (Linux 5.7).
    writes.add("hugetlb", prefix + ".rsvd.limit_in_bytes", value, pointer).if_exists = true;
    writes.add("hugetlb", prefix + ".limit_in_bytes", value, pointer);
  }
  return {};
}

void add_network(const spec::NetworkResources& network, WriteList& writes) {
  if (is_set(network.class_id))
    writes.add("net_cls", "net_cls.classid", text_of(*network.class_id), "network/classID");
  for (size_t index = 0; index < network.priorities.size(); ++index) {
    const spec::NetworkPriority& priority = network.priorities[index];
    writes.add("net_prio", "net_prio.ifpriomap",
               formatted("{} {}", priority.name, priority.priority),
               formatted("network/priorities/{}", index));
  }
}

}  // namespace

Result<std::vector<CgroupWrite>> plan_cgroup_v1(const spec::Resources& resources,
                                                std::vector<std::string>& warnings) {
  if (!resources.unified.empty()) {
    return refuse("/linux/resources/unified", ErrorKind::Unsupported,
                  "invalid configuration: unified needs cgroup v2, this host has v1");
  }
  WriteList writes(warnings);
  if (resources.memory) TRY(add_memory(*resources.memory, writes));
  if (resources.cpu) add_cpu(*resources.cpu, writes);
  add_pids(resources, writes);
  if (resources.block_io) TRY(add_block_io(*resources.block_io, writes));
  TRY(add_hugepages(resources.hugepage_limits, writes));
  if (resources.network) add_network(*resources.network, writes);
  add_rdma(resources, writes);
  return writes.take();
}

}  // namespace berth::plan
