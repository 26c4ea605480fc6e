// SPDX-License-Identifier: Apache-2.0
#include "berth/stats.h"
#include "json/write.h"

namespace berth {
namespace {

using json::Writer;

// runc leaves zeros out, but for the members that its readers expect always.
void member_unless_zero(Writer& out, std::string_view name, uint64_t value) {
  if (value) out.member(name, value);
}

void write_cpu(Writer& out, const CpuStats& cpu) {
  out.key("cpu").begin_object().key("usage").begin_object();
  member_unless_zero(out, "total", cpu.total_ns);
  if (!cpu.percpu_ns.empty()) {
    out.key("percpu").begin_array();
    for (const uint64_t each : cpu.percpu_ns) out.number(each);
    out.end();
  }
  out.member("kernel", cpu.kernel_ns).member("user", cpu.user_ns).end();
  out.key("throttling").begin_object();
  member_unless_zero(out, "periods", cpu.periods);
  member_unless_zero(out, "throttledPeriods", cpu.throttled_periods);
  member_unless_zero(out, "throttledTime", cpu.throttled_ns);
  out.end().end();
}

void write_cpuset(Writer& out) {
  out.key("cpuset").begin_object();
  for (const char* name : {"cpu_exclusive", "mem_hardwall", "mem_exclusive", "memory_migrate",
                           "memory_spread_page", "memory_spread_slab", "memory_pressure",
                           "sched_load_balance", "sched_relax_domain_level"}) {
    out.member(name, 0);
  }
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
  if (!memory.raw.empty()) {
    out.key("raw").begin_object();
    for (const auto& [key, value] : memory.raw) out.member(key, value);
    out.end();
  }
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

}  // namespace

std::string Stats::to_json() const {
  Writer out;
  out.begin_object();
  write_cpu(out, cpu);
  write_cpuset(out);
  write_memory(out, memory ? *memory : MemoryStats());
  out.key("pids").begin_object();
  if (pids) {
    member_unless_zero(out, "current", pids->first);
    member_unless_zero(out, "limit", pids->second);
  }
  out.end();
  write_block_io(out, block_io);
  write_hugetlb(out, hugetlb);
  out.key("intel_rdt").begin_object().end();
  out.key("network_interfaces").null();
  out.end();
  return out.take();
}

}  // namespace berth
