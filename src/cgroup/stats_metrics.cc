// SPDX-License-Identifier: Apache-2.0
// OpenMetrics 1.0: each family once, its unit the end of its name, counters ending in _total.
#include <algorithm>

#include "berth/stats.h"
#include "core/format.h"

namespace berth {
namespace {

using Labels = std::vector<std::pair<std::string_view, std::string>>;

std::string escaped(std::string_view value) {
  std::string text;
  for (const char c : value) {
    if (c == '\n') {
      text += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return text;
}

std::string seconds(uint64_t count, uint64_t per_second) {
  return formatted("{}", static_cast<double>(count) / static_cast<double>(per_second));
}
std::string from_nanoseconds(uint64_t count) { return seconds(count, 1'000'000'000); }

class Exposition {
 public:
  explicit Exposition(std::string_view id) : id_(escaped(id)) {}

  // unit: empty for a plain number.
  void gauge(std::string_view name, std::string_view unit, std::string_view help) {
    family(name, "gauge", unit, help);
    suffix_ = "";
  }
  void counter(std::string_view name, std::string_view unit, std::string_view help) {
    family(name, "counter", unit, help);
    suffix_ = "_total";
  }
  void sample(const std::string& value, const Labels& labels = {}) {
    text_ += formatted("{}{}{{id=\"{}\"", name_, suffix_, id_);
    for (const auto& [label, said] : labels) text_ += formatted(",{}=\"{}\"", label, escaped(said));
    text_ += formatted("}} {}\n", value);
  }
  void sample(uint64_t value, const Labels& labels = {}) { sample(formatted("{}", value), labels); }
  std::string take() { return text_ + "# EOF\n"; }

 private:
  void family(std::string_view name, std::string_view type, std::string_view unit,
              std::string_view help) {
    name_ = formatted("container_{}{}{}", name, unit.empty() ? "" : "_", unit);
    text_ += formatted("# TYPE {} {}\n", name_, type);
    if (!unit.empty()) text_ += formatted("# UNIT {} {}\n", name_, unit);
    text_ += formatted("# HELP {} {}\n", name_, help);
  }

  std::string id_;
  std::string name_ = {};
  std::string_view suffix_ = {};
  std::string text_ = {};
};

void add_cpu(Exposition& out, const CpuStats& cpu) {
  out.counter("cpu_usage", "seconds", "CPU time used.");
  out.sample(from_nanoseconds(cpu.total_ns));
  out.counter("cpu_user", "seconds", "CPU time used by programs.");
  out.sample(from_nanoseconds(cpu.user_ns));
  out.counter("cpu_system", "seconds", "CPU time used by the kernel.");
  out.sample(from_nanoseconds(cpu.kernel_ns));
  out.counter("cpu_cfs_periods", "", "Periods of the CPU quota.");
  out.sample(cpu.periods);
  out.counter("cpu_cfs_throttled_periods", "", "Periods in which the CPU quota was used up.");
  out.sample(cpu.throttled_periods);
  out.counter("cpu_cfs_throttled", "seconds", "Time for which the CPU quota was used up.");
  out.sample(from_nanoseconds(cpu.throttled_ns));
}

// Without a limit there is no sample: the largest number that the kernel knows is none.
void add_limit(Exposition& out, uint64_t limit) {
  constexpr uint64_t kNoLimit = uint64_t{1} << 62;
  if (limit < kNoLimit) out.sample(limit);
}

void add_counters(Exposition& out, const Counters& counters, std::string_view label) {
  for (const auto& [key, value] : counters) out.sample(value, {{label, key}});
}

void add_memory(Exposition& out, const MemoryStats& memory) {
  out.gauge("memory_usage", "bytes", "Memory in use, page cache included.");
  out.sample(memory.usage.usage);
  out.gauge("memory_max_usage", "bytes", "Most memory that was in use.");
  out.sample(memory.usage.max);
  out.gauge("memory_limit", "bytes", "Limit of memory; absent without one.");
  add_limit(out, memory.usage.limit);
  out.gauge("memory_cache", "bytes", "Page cache.");
  out.sample(memory.cache);
  out.gauge("memory_and_swap_usage", "bytes", "Memory and swap in use.");
  out.sample(memory.swap.usage);
  out.gauge("memory_and_swap_limit", "bytes", "Limit of memory and swap together.");
  add_limit(out, memory.swap.limit);
  out.counter("memory_failcnt", "", "How often the limit of memory was met.");
  out.sample(memory.usage.failcnt);
  if (memory.events.empty()) return;
  out.counter("memory_events", "", "The kernel's memory.events, sub-cgroups included.");
  add_counters(out, memory.events, "event");
  out.counter("memory_events_local", "", "The kernel's memory.events.local.");
  add_counters(out, memory.events_local, "event");
}

void add_pids(Exposition& out, const PidsStats& pids) {
  out.gauge("pids", "", "Processes and threads.");
  out.sample(pids.current);
  out.gauge("pids_limit", "", "Most processes and threads; absent without a limit.");
  if (pids.limit != 0) out.sample(pids.limit);
  if (!pids.peak) return;
  out.gauge("pids_peak", "", "Most processes and threads that there were.");
  out.sample(*pids.peak);
}

void add_entries(Exposition& out, const std::vector<BlockIoEntry>& entries) {
  for (const BlockIoEntry& entry : entries) {
    // Sync, Async and Total of v1 are the same requests, sorted otherwise.
    if (entry.op != "Read" && entry.op != "Write" && entry.op != "Discard") continue;
    out.sample(entry.value,
               {{"device", formatted("{}:{}", entry.major, entry.minor)}, {"operation", entry.op}});
  }
}

void add_block_io(Exposition& out, const BlockIoStats& stats) {
  out.counter("blkio_device_usage", "bytes", "Bytes moved from and to block devices.");
  add_entries(out, stats.service_bytes);
  out.counter("blkio_device_operations", "", "Requests to block devices.");
  add_entries(out, stats.serviced);
}

void add_hugetlb(Exposition& out, const std::vector<HugetlbStats>& sizes) {
  if (sizes.empty()) return;
  out.gauge("hugetlb_usage", "bytes", "Huge pages in use.");
  for (const HugetlbStats& each : sizes) out.sample(each.usage, {{"pagesize", each.page_size}});
  out.counter("hugetlb_failcnt", "", "How often the limit of huge pages was met.");
  for (const HugetlbStats& each : sizes) out.sample(each.failcnt, {{"pagesize", each.page_size}});
}

void add_rdma(Exposition& out, const std::vector<RdmaEntry>& devices) {
  if (devices.empty()) return;
  out.gauge("rdma_handles", "", "RDMA handles in use.");
  for (const RdmaEntry& each : devices) out.sample(each.handles, {{"device", each.device}});
  out.gauge("rdma_objects", "", "RDMA objects in use.");
  for (const RdmaEntry& each : devices) out.sample(each.objects, {{"device", each.device}});
}

// What a counter cannot tell just now is left out.
void add_rdt(Exposition& out, const std::vector<RdtDomain>& domains) {
  struct Family {
    void (Exposition::*begin)(std::string_view, std::string_view, std::string_view);
    std::string_view name, help;
    std::optional<uint64_t> RdtDomain::* value;
  };
  constexpr Family kFamilies[] = {
      {&Exposition::gauge, "rdt_llc_occupancy", "Last cache in use.", &RdtDomain::llc_occupancy},
      {&Exposition::counter, "rdt_memory_traffic", "Memory traffic.", &RdtDomain::mbm_total},
      {&Exposition::counter, "rdt_memory_traffic_local", "Memory traffic of the own node.",
       &RdtDomain::mbm_local}};
  for (const Family& family : kFamilies) {
    const auto has = [&family](const RdtDomain& each) { return (each.*family.value).has_value(); };
    if (!std::ranges::any_of(domains, has)) continue;
    (out.*family.begin)(family.name, "bytes", family.help);
    for (const RdtDomain& each : domains) {
      if (has(each)) out.sample(*(each.*family.value), {{"domain", each.name}});
    }
  }
}

void add_pressure(Exposition& out, const Stats& stats) {
  const std::pair<std::string_view, std::optional<Pressure>> resources[] = {
      {"cpu", stats.cpu.pressure},
      {"memory", stats.memory ? stats.memory->pressure : std::nullopt},
      {"io", stats.block_io.pressure}};
  constexpr uint64_t kMicroseconds = 1'000'000;
  for (const auto& [resource, pressure] : resources) {
    if (!pressure) continue;
    out.counter(formatted("pressure_{}_waiting", resource), "seconds",
                formatted("Time in which some task waited for {}.", resource));
    out.sample(seconds(pressure->some.total_us, kMicroseconds));
    out.counter(formatted("pressure_{}_stalled", resource), "seconds",
                formatted("Time in which all tasks waited for {}.", resource));
    out.sample(seconds(pressure->full.total_us, kMicroseconds));
  }
}

struct InterfaceFamily {
  std::string_view name;
  std::string_view unit;
  std::string_view help;
  uint64_t InterfaceCounters::* counter;
};

constexpr InterfaceFamily kInterfaceFamilies[] = {
    {"network_receive", "bytes", "Bytes received.", &InterfaceCounters::rx_bytes},
    {"network_receive_packets", "", "Packets received.", &InterfaceCounters::rx_packets},
    {"network_receive_errors", "", "Errors of receiving.", &InterfaceCounters::rx_errors},
    {"network_receive_packets_dropped", "", "Packets that were not taken.",
     &InterfaceCounters::rx_dropped},
    {"network_transmit", "bytes", "Bytes sent.", &InterfaceCounters::tx_bytes},
    {"network_transmit_packets", "", "Packets sent.", &InterfaceCounters::tx_packets},
    {"network_transmit_errors", "", "Errors of sending.", &InterfaceCounters::tx_errors},
    {"network_transmit_packets_dropped", "", "Packets that were not sent.",
     &InterfaceCounters::tx_dropped},
};

void add_interfaces(Exposition& out, const std::vector<InterfaceStats>& interfaces) {
  if (interfaces.empty()) return;
  for (const InterfaceFamily& family : kInterfaceFamilies) {
    out.counter(family.name, family.unit, family.help);
    for (const InterfaceStats& each : interfaces)
      out.sample(each.counters.*family.counter, {{"interface", each.name}});
  }
}

}  // namespace

std::string Stats::to_openmetrics(std::string_view id) const {
  Exposition out(id);
  add_cpu(out, cpu);
  if (memory) add_memory(out, *memory);
  if (pids) add_pids(out, *pids);
  add_block_io(out, block_io);
  add_hugetlb(out, hugetlb);
  add_rdma(out, rdma_usage);
  add_rdt(out, rdt.domains);
  add_interfaces(out, interfaces);
  add_pressure(out, *this);
  return out.take();
}

}  // namespace berth
