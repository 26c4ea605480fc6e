// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace berth {

// What the kernel counts for a container's cgroup; units are bytes and nanoseconds. The JSON of
// `berth events` (runc's "data" object) is to_json.
struct CpuStats {
  uint64_t total_ns = 0, kernel_ns = 0, user_ns = 0;
  std::vector<uint64_t> percpu_ns = {};
  uint64_t periods = 0, throttled_periods = 0, throttled_ns = 0;
};

struct MemoryCounter {
  uint64_t limit = 0, usage = 0, max = 0, failcnt = 0;
};

struct MemoryStats {
  uint64_t cache = 0;
  MemoryCounter usage = {}, swap = {}, kernel = {}, kernel_tcp = {};
  std::vector<std::pair<std::string, uint64_t>> raw = {};  // memory.stat
};

struct BlockIoEntry {
  uint64_t major = 0, minor = 0;
  std::string op = {};
  uint64_t value = 0;
};

struct BlockIoStats {
  std::vector<BlockIoEntry> service_bytes = {}, serviced = {}, queued = {}, service_time = {},
                            wait_time = {}, merged = {}, time = {}, sectors = {};
};

struct HugetlbStats {
  std::string page_size = {};
  uint64_t usage = 0, max = 0, failcnt = 0;
};

struct Stats {
  CpuStats cpu = {};
  std::optional<MemoryStats> memory = {};
  std::optional<std::pair<uint64_t, uint64_t>> pids = {};  // current, limit (0: none)
  BlockIoStats block_io = {};
  std::vector<HugetlbStats> hugetlb = {};

  // runc's "data" object, compact.
  std::string to_json() const;
};

}  // namespace berth
