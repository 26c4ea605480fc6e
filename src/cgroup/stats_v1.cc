// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "cgroup/counters.h"
#include "cgroup/read_stats.h"
#include "cgroup/writes.h"

namespace berth::cgroup {
namespace {

void read_cpu(const DirectoryOf& of, CpuStats& cpu) {
  if (const Directory* account = of("cpuacct")) {
    cpu.total_ns = number_of(*account, "cpuacct.usage");
    cpu.user_ns = number_of(*account, "cpuacct.usage_user");
    cpu.kernel_ns = number_of(*account, "cpuacct.usage_sys");
    cpu.percpu_ns = numbers_of(*account, "cpuacct.usage_percpu");
    cpu.percpu_kernel_ns = numbers_of(*account, "cpuacct.usage_percpu_sys");
    cpu.percpu_user_ns = numbers_of(*account, "cpuacct.usage_percpu_user");
  }
  if (const Directory* limits = of("cpu")) {
    const std::string text = text_of(*limits, "cpu.stat");
    cpu.periods = value_of(text, "nr_periods");
    cpu.throttled_periods = value_of(text, "nr_throttled");
    cpu.throttled_ns = value_of(text, "throttled_time");
  }
}

CpusetStats read_cpuset(const Directory& cpuset) {
  CpusetStats stats{.cpus = parse_list(trimmed(text_of(cpuset, "cpuset.cpus"))),
                    .mems = parse_list(trimmed(text_of(cpuset, "cpuset.mems"))),
                    .cpu_exclusive = number_of(cpuset, "cpuset.cpu_exclusive"),
                    .mem_hardwall = number_of(cpuset, "cpuset.mem_hardwall"),
                    .mem_exclusive = number_of(cpuset, "cpuset.mem_exclusive"),
                    .memory_migrate = number_of(cpuset, "cpuset.memory_migrate"),
                    .memory_spread_page = number_of(cpuset, "cpuset.memory_spread_page"),
                    .memory_spread_slab = number_of(cpuset, "cpuset.memory_spread_slab"),
                    .memory_pressure = number_of(cpuset, "cpuset.memory_pressure"),
                    .sched_load_balance = number_of(cpuset, "cpuset.sched_load_balance")};
  const std::string level = text_of(cpuset, "cpuset.sched_relax_domain_level");  // -1: the default
  std::from_chars(level.data(), level.data() + level.size(), stats.sched_relax_domain_level);
  return stats;
}

MemoryCounter read_counter(const Directory& memory, const std::string& prefix) {
  return {.limit = number_of(memory, prefix + "limit_in_bytes"),
          .usage = number_of(memory, prefix + "usage_in_bytes"),
          .max = number_of(memory, prefix + "max_usage_in_bytes"),
          .failcnt = number_of(memory, prefix + "failcnt")};
}

MemoryStats read_memory(const Directory& memory) {
  MemoryStats stats;
  stats.raw = counters_of(memory, "memory.stat");
  stats.cache = value_of(stats.raw, "cache");
  stats.usage = read_counter(memory, "memory.");
  stats.swap = read_counter(memory, "memory.memsw.");
  stats.kernel = read_counter(memory, "memory.kmem.");
  stats.kernel_tcp = read_counter(memory, "memory.kmem.tcp.");
  return stats;
}

// "8:0 Read 123", or "8:0 123"; "Total 123" is of no device.
void read_entries(const Directory& blkio, const std::string& file,
                  std::vector<BlockIoEntry>& entries) {
  for_each_line(text_of(blkio, file), [&](std::string_view line) {
    const std::vector<std::string> parts = words_of(line);
    const size_t colon = parts.empty() ? std::string::npos : parts[0].find(':');
    if (parts.size() < 2 || colon == std::string::npos) return;
    entries.push_back({.major = parse_number(parts[0].substr(0, colon)),
                       .minor = parse_number(parts[0].substr(colon + 1)),
                       .op = parts.size() > 2 ? parts[1] : std::string(),
                       .value = parse_number(parts.back())});
  });
}

// All sets of counters are of the same I/O, seen at different places: the first that there is.
void read_block_io(const Directory& blkio, BlockIoStats& stats) {
  for (const char* set : {"blkio.bfq.", "blkio.", "blkio.throttle."}) {
    const std::string prefix = set;
    read_entries(blkio, prefix + "io_service_bytes_recursive", stats.service_bytes);
    read_entries(blkio, prefix + "io_serviced_recursive", stats.serviced);
    read_entries(blkio, prefix + "io_queued_recursive", stats.queued);
    read_entries(blkio, prefix + "io_service_time_recursive", stats.service_time);
    read_entries(blkio, prefix + "io_wait_time_recursive", stats.wait_time);
    read_entries(blkio, prefix + "io_merged_recursive", stats.merged);
    read_entries(blkio, prefix + "time_recursive", stats.time);
    read_entries(blkio, prefix + "sectors_recursive", stats.sectors);
    if (!stats.service_bytes.empty() || !stats.serviced.empty()) return;
  }
}

void read_unified(const Directory& unified, bool has_hugetlb, Stats& stats) {
  stats.cpu.pressure = pressure_of(unified, "cpu.pressure");
  stats.block_io.pressure = pressure_of(unified, "io.pressure");
  if (stats.memory) stats.memory->pressure = pressure_of(unified, "memory.pressure");
  if (!has_hugetlb) stats.hugetlb = hugetlb_v2(unified);
}

}  // namespace

Result<Stats> stats_v1(const DirectoryOf& directory_of, const Directory* unified) {
  Stats stats;
  read_cpu(directory_of, stats.cpu);
  if (const Directory* cpuset = directory_of("cpuset")) stats.cpuset = read_cpuset(*cpuset);
  if (const Directory* memory = directory_of("memory")) stats.memory = read_memory(*memory);
  if (const Directory* pids = directory_of("pids")) stats.pids = pids_of(*pids);
  if (const Directory* blkio = directory_of("blkio")) read_block_io(*blkio, stats.block_io);
  const Directory* hugetlb = directory_of("hugetlb");
  if (hugetlb) stats.hugetlb = hugetlb_v1(*hugetlb);
  if (const Directory* rdma = directory_of("rdma")) read_rdma(*rdma, stats);
  if (unified) read_unified(*unified, hugetlb != nullptr, stats);
  return stats;
}

}  // namespace berth::cgroup
