// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/network.h"

namespace [[gnu::visibility("default")]] berth {

// What the kernel counts for a container's cgroup; units are bytes and nanoseconds. The JSON of
// `berth events` (runc's "data" object) is to_json. What this kernel or cgroup version does not
// have is 0, empty or absent.

// Pressure stall information (Linux 4.20, psi=1): how long tasks waited, as percentages of the last
// 10, 60 and 300 seconds and in all.
struct PressureLine {
  double avg10 = 0, avg60 = 0, avg300 = 0;
  uint64_t total_us = 0;
};
// some: at least one task waited; full: all of them did.
struct Pressure {
  PressureLine some = {}, full = {};
};

// Time that was used, and how often and how long a quota held tasks back.
struct CpuStats {
  uint64_t total_ns = 0, kernel_ns = 0, user_ns = 0;
  std::vector<uint64_t> percpu_ns = {}, percpu_kernel_ns = {}, percpu_user_ns = {};  // v1
  uint64_t periods = 0, throttled_periods = 0, throttled_ns = 0;
  std::optional<Pressure> pressure = {};
};

// What a cpuset of v1 is set to; v2 has no such files.
struct CpusetStats {
  std::vector<unsigned> cpus = {}, mems = {};
  uint64_t cpu_exclusive = 0, mem_hardwall = 0, mem_exclusive = 0, memory_migrate = 0;
  uint64_t memory_spread_page = 0, memory_spread_slab = 0, memory_pressure = 0;
  uint64_t sched_load_balance = 0;
  int64_t sched_relax_domain_level = 0;
};

// failcnt: how often the limit was met (v1).
struct MemoryCounter {
  uint64_t limit = 0, usage = 0, max = 0, failcnt = 0;
};

// Names and values as the kernel writes them, in its order.
using Counters = std::vector<std::pair<std::string, uint64_t>>;

// swap is memory and swap together.
struct MemoryStats {
  uint64_t cache = 0;
  MemoryCounter usage = {}, swap = {}, kernel = {}, kernel_tcp = {};
  Counters raw = {};           // memory.stat
  Counters events = {};        // v2 memory.events: of the cgroup and all below it
  Counters events_local = {};  // v2 memory.events.local: of limits of the cgroup itself
  std::optional<Pressure> pressure = {};
};

// Processes and threads.
struct PidsStats {
  uint64_t current = 0;
  uint64_t limit = 0;                 // 0: none
  std::optional<uint64_t> peak = {};  // Linux 6.1
};

// One disk, one kind of operation ("Read").
struct BlockIoEntry {
  uint64_t major = 0, minor = 0;
  std::string op = {};
  uint64_t value = 0;
};

// service_bytes in bytes, serviced in operations; the others are of v1 only.
struct BlockIoStats {
  std::vector<BlockIoEntry> service_bytes = {}, serviced = {}, queued = {}, service_time = {},
                            wait_time = {}, merged = {}, time = {}, sectors = {};
  std::optional<Pressure> pressure = {};
};

// One size of huge pages ("2MB"); failcnt: how often the limit was met.
struct HugetlbStats {
  std::string page_size = {};
  uint64_t usage = 0, max = 0, failcnt = 0;
};

// Of one RDMA device. UINT64_MAX: no limit.
struct RdmaEntry {
  std::string device = {};
  uint64_t handles = 0, objects = 0;
};

// What a processor can divide of its last cache (CAT), and what of it the container's class has:
// the kernel's words, a line "L3:0=fffff;1=fffff", or two of L3CODE and L3DATA.
struct RdtCache {
  std::string cbm_mask = {};  // hexadecimal: all of it
  uint64_t min_cbm_bits = 0, num_closids = 0;
  std::string schema_root = {}, schema = {};
};

// The same of memory bandwidth (MBA), in per cent or MB/s as the filesystem was mounted.
struct RdtBandwidth {
  uint64_t granularity = 0, delay_linear = 0, min_bandwidth = 0, num_closids = 0;
  std::string schema_root = {}, schema = {};
};

// What was counted in one domain of a last cache ("00"), in bytes (CMT, MBM).
struct RdtDomain {
  std::string name = {};
  std::optional<uint64_t> llc_occupancy = {}, mbm_total = {}, mbm_local = {};
};

// Of a container with linux.intelRdt (Documentation/filesystems/resctrl.rst).
struct RdtStats {
  std::optional<RdtCache> cache = {};
  std::optional<RdtBandwidth> bandwidth = {};
  std::vector<RdtDomain> domains = {};
};

// A network device of the container's own network namespace, but loopback.
struct InterfaceStats {
  std::string name = {};
  InterfaceCounters counters = {};
};

// All of it, read at once: from the container's cgroup, its class of resctrl and its network
// namespace.
struct Stats {
  CpuStats cpu = {};
  std::optional<CpusetStats> cpuset = {};
  std::optional<MemoryStats> memory = {};
  std::optional<PidsStats> pids = {};
  BlockIoStats block_io = {};
  std::vector<HugetlbStats> hugetlb = {};
  std::vector<RdmaEntry> rdma_usage = {}, rdma_limit = {};
  RdtStats rdt = {};
  std::vector<InterfaceStats> interfaces = {};

  // runc's "data" object, compact.
  std::string to_json() const;
  // An OpenMetrics text exposition (version 1.0) with the label id, ending in "# EOF".
  std::string to_openmetrics(std::string_view id) const;
};

}  // namespace berth
