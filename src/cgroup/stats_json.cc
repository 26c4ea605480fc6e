// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/stats.h"
#include "json/write.h"

namespace berth {
namespace {

using json::Writer;

// runc leaves zeros out, but for the members that its readers expect always.
void member_unless_zero(Writer& out, std::string_view name, uint64_t value) {
  if (value) out.member(name, value);
}

void write_numbers(Writer& out, std::string_view name, const auto& numbers) {
  if (numbers.empty()) return;
  out.key(name).begin_array();
  for (const auto each : numbers) out.number(each);
  out.end();
}

void write_pressure_line(Writer& out, std::string_view name, const PressureLine& line) {
  out.key(name).begin_object();
  out.key("avg10").real(line.avg10).key("avg60").real(line.avg60).key("avg300").real(line.avg300);
  out.member("total", line.total_us).end();
}

void write_pressure(Writer& out, const std::optional<Pressure>& pressure) {
  if (!pressure) return;
  out.key("psi").begin_object();
  write_pressure_line(out, "some", pressure->some);
  write_pressure_line(out, "full", pressure->full);
  out.end();
}

void write_cpu(Writer& out, const CpuStats& cpu) {
  out.key("cpu").begin_object().key("usage").begin_object();
  member_unless_zero(out, "total", cpu.total_ns);
  write_numbers(out, "percpu", cpu.percpu_ns);
  write_numbers(out, "percpu_kernel", cpu.percpu_kernel_ns);
  write_numbers(out, "percpu_user", cpu.percpu_user_ns);
  out.member("kernel", cpu.kernel_ns).member("user", cpu.user_ns).end();
  out.key("throttling").begin_object();
  member_unless_zero(out, "periods", cpu.periods);
  member_unless_zero(out, "throttledPeriods", cpu.throttled_periods);
  member_unless_zero(out, "throttledTime", cpu.throttled_ns);
  out.end();
  write_pressure(out, cpu.pressure);
  out.end();
}

void write_cpuset(Writer& out, const CpusetStats& cpuset) {
  out.key("cpuset").begin_object();
  write_numbers(out, "cpus", cpuset.cpus);
  out.member("cpu_exclusive", cpuset.cpu_exclusive);
  write_numbers(out, "mems", cpuset.mems);
  out.member("mem_hardwall", cpuset.mem_hardwall).member("mem_exclusive", cpuset.mem_exclusive);
  out.member("memory_migrate", cpuset.memory_migrate);
  out.member("memory_spread_page", cpuset.memory_spread_page);
  out.member("memory_spread_slab", cpuset.memory_spread_slab);
  out.member("memory_pressure", cpuset.memory_pressure);
  out.member("sched_load_balance", cpuset.sched_load_balance);
  out.member("sched_relax_domain_level", cpuset.sched_relax_domain_level).end();
}

void write_counters(Writer& out, std::string_view name, const Counters& counters) {
  if (counters.empty()) return;
  out.key(name).begin_object();
  for (const auto& [key, value] : counters) out.member(key, value);
  out.end();
}

void write_counter(Writer& out, std::string_view name, const MemoryCounter& counter) {
  out.key(name).begin_object().member("limit", counter.limit);
  member_unless_zero(out, "usage", counter.usage);
  member_unless_zero(out, "max", counter.max);
  out.member("failcnt", counter.failcnt).end();
}

void write_memory(Writer& out, const MemoryStats& memory) {
  out.key("memory").begin_object();
  member_unless_zero(out, "cache", memory.cache);
  write_counter(out, "usage", memory.usage);
  write_counter(out, "swap", memory.swap);
  write_counter(out, "kernel", memory.kernel);
  write_counter(out, "kernelTCP", memory.kernel_tcp);
  write_counters(out, "raw", memory.raw);
  write_counters(out, "events", memory.events);
  write_counters(out, "eventsLocal", memory.events_local);
  write_pressure(out, memory.pressure);
  out.end();
}

void write_pids(Writer& out, const PidsStats& pids) {
  out.key("pids").begin_object();
  member_unless_zero(out, "current", pids.current);
  member_unless_zero(out, "limit", pids.limit);
  if (pids.peak) out.member("peak", *pids.peak);
  out.end();
}

void write_entries(Writer& out, std::string_view name, const std::vector<BlockIoEntry>& entries) {
  if (entries.empty()) return;
  out.key(name).begin_array();
  for (const BlockIoEntry& entry : entries) {
    out.begin_object();
    member_unless_zero(out, "major", entry.major);
    member_unless_zero(out, "minor", entry.minor);
    if (!entry.op.empty()) out.member("op", entry.op);
    member_unless_zero(out, "value", entry.value);
    out.end();
  }
  out.end();
}

void write_block_io(Writer& out, const BlockIoStats& stats) {
  out.key("blkio").begin_object();
  write_entries(out, "ioServiceBytesRecursive", stats.service_bytes);
  write_entries(out, "ioServicedRecursive", stats.serviced);
  write_entries(out, "ioQueueRecursive", stats.queued);
  write_entries(out, "ioServiceTimeRecursive", stats.service_time);
  write_entries(out, "ioWaitTimeRecursive", stats.wait_time);
  write_entries(out, "ioMergedRecursive", stats.merged);
  write_entries(out, "ioTimeRecursive", stats.time);
  write_entries(out, "sectorsRecursive", stats.sectors);
  write_pressure(out, stats.pressure);
  out.end();
}

void write_hugetlb(Writer& out, const std::vector<HugetlbStats>& sizes) {
  out.key("hugetlb").begin_object();
  for (const HugetlbStats& each : sizes) {
    out.key(each.page_size).begin_object();
    member_unless_zero(out, "usage", each.usage);
    member_unless_zero(out, "max", each.max);
    out.member("failcnt", each.failcnt).end();
  }
  out.end();
}

// The form of runc's library, which its command does not print.
void write_rdma_entries(Writer& out, std::string_view name, const std::vector<RdmaEntry>& entries) {
  out.key(name).begin_array();
  for (const RdmaEntry& entry : entries) {
    out.begin_object().member("device", entry.device);
    if (entry.handles != UINT64_MAX) out.member("hca_handles", entry.handles);
    if (entry.objects != UINT64_MAX) out.member("hca_objects", entry.objects);
    out.end();
  }
  out.end();
}

void write_rdma(Writer& out, const Stats& stats) {
  if (stats.rdma_usage.empty() && stats.rdma_limit.empty()) return;
  out.key("rdma").begin_object();
  write_rdma_entries(out, "rdma_limit", stats.rdma_limit);
  write_rdma_entries(out, "rdma_current", stats.rdma_usage);
  out.end();
}

void text_unless_empty(Writer& out, std::string_view name, const std::string& text) {
  if (!text.empty()) out.member(name, text);
}

void write_rdt_cache(Writer& out, const RdtCache& cache) {
  out.key("l3_cache_info").begin_object();
  text_unless_empty(out, "cbm_mask", cache.cbm_mask);
  member_unless_zero(out, "min_cbm_bits", cache.min_cbm_bits);
  member_unless_zero(out, "num_closids", cache.num_closids);
  out.end();
  text_unless_empty(out, "l3_cache_schema_root", cache.schema_root);
  text_unless_empty(out, "l3_cache_schema", cache.schema);
}

void write_rdt_bandwidth(Writer& out, const RdtBandwidth& bandwidth) {
  out.key("mem_bw_info").begin_object();
  member_unless_zero(out, "bandwidth_gran", bandwidth.granularity);
  member_unless_zero(out, "delay_linear", bandwidth.delay_linear);
  member_unless_zero(out, "min_bandwidth", bandwidth.min_bandwidth);
  member_unless_zero(out, "num_closids", bandwidth.num_closids);
  out.end();
  text_unless_empty(out, "mem_bw_schema_root", bandwidth.schema_root);
  text_unless_empty(out, "mem_bw_schema", bandwidth.schema);
}

// An object for each domain, in their order; no array of what the processor does not count.
void write_rdt_counters(Writer& out, const std::vector<RdtDomain>& domains) {
  const auto counts_traffic = [](const RdtDomain& each) {
    return each.mbm_total || each.mbm_local;
  };
  if (std::ranges::any_of(domains, counts_traffic)) {
    out.key("mbm_stats").begin_array();
    for (const RdtDomain& each : domains) {
      out.begin_object().member("mbm_total_bytes", each.mbm_total.value_or(0));
      out.member("mbm_local_bytes", each.mbm_local.value_or(0)).end();
    }
    out.end();
  }
  const auto counts_cache = [](const RdtDomain& each) { return each.llc_occupancy.has_value(); };
  if (!std::ranges::any_of(domains, counts_cache)) return;
  out.key("cmt_stats").begin_array();
  for (const RdtDomain& each : domains)
    out.begin_object().member("llc_occupancy", each.llc_occupancy.value_or(0)).end();
  out.end();
}

void write_rdt(Writer& out, const RdtStats& stats) {
  out.key("intel_rdt").begin_object();
  if (stats.cache) write_rdt_cache(out, *stats.cache);
  if (stats.bandwidth) write_rdt_bandwidth(out, *stats.bandwidth);
  write_rdt_counters(out, stats.domains);
  out.end();
}

void write_interfaces(Writer& out, const std::vector<InterfaceStats>& interfaces) {
  if (interfaces.empty()) {
    out.key("network_interfaces").null();
    return;
  }
  out.key("network_interfaces").begin_array();
  for (const InterfaceStats& each : interfaces) {
    const InterfaceCounters& counters = each.counters;
    out.begin_object().member("Name", each.name);
    out.member("RxBytes", counters.rx_bytes).member("RxPackets", counters.rx_packets);
    out.member("RxErrors", counters.rx_errors).member("RxDropped", counters.rx_dropped);
    out.member("TxBytes", counters.tx_bytes).member("TxPackets", counters.tx_packets);
    out.member("TxErrors", counters.tx_errors).member("TxDropped", counters.tx_dropped).end();
  }
  out.end();
}

}  // namespace

std::string Stats::to_json() const {
  Writer out;
  out.begin_object();
  write_cpu(out, cpu);
  write_cpuset(out, cpuset.value_or(CpusetStats()));
  write_memory(out, memory.value_or(MemoryStats()));
  write_pids(out, pids.value_or(PidsStats()));
  write_block_io(out, block_io);
  write_hugetlb(out, hugetlb);
  write_rdma(out, *this);
  write_rdt(out, rdt);
  write_interfaces(out, interfaces);
  out.end();
  return out.take();
}

}  // namespace berth
