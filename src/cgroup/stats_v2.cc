// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cgroup/counters.h"
#include "cgroup/read_stats.h"
#include "cgroup/writes.h"

namespace berth::cgroup {
namespace {

Result<CpuStats> read_cpu(const Directory& directory) {
  const std::string text = TRY(directory.read("cpu.stat"));
  return CpuStats{.total_ns = value_of(text, "usage_usec") * 1000,
                  .kernel_ns = value_of(text, "system_usec") * 1000,
                  .user_ns = value_of(text, "user_usec") * 1000,
                  .periods = value_of(text, "nr_periods"),
                  .throttled_periods = value_of(text, "nr_throttled"),
                  .throttled_ns = value_of(text, "throttled_usec") * 1000,
                  .pressure = pressure_of(directory, "cpu.pressure")};
}

// memory and swap are counted apart on v2, in one sum on v1, which is what `swap` means to the
// readers.
uint64_t sum_of_limits(uint64_t left, uint64_t right) {
  return left == UINT64_MAX || right == UINT64_MAX ? UINT64_MAX : left + right;
}

MemoryStats read_memory(const Directory& directory) {
  MemoryStats stats;
  stats.raw = counters_of(directory, "memory.stat");
  stats.cache = value_of(stats.raw, "file");
  stats.events = counters_of(directory, "memory.events");
  stats.events_local = counters_of(directory, "memory.events.local");
  stats.usage = {.limit = number_of(directory, "memory.max"),
                 .usage = number_of(directory, "memory.current"),
                 .max = number_of(directory, "memory.peak"),
                 .failcnt = value_of(stats.events, "max")};
  stats.swap.usage = stats.usage.usage + number_of(directory, "memory.swap.current");
  stats.swap.limit = sum_of_limits(stats.usage.limit, number_of(directory, "memory.swap.max"));
  stats.pressure = pressure_of(directory, "memory.pressure");
  return stats;
}

// One word of "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0".
void read_io_word(std::string_view word, BlockIoEntry entry, BlockIoStats& stats) {
  const size_t equals = word.find('=');
  if (equals == word.npos) return;
  const std::string_view key = word.substr(0, equals);
  entry.op = key.starts_with('r') ? "Read" : key.starts_with('w') ? "Write" : "Discard";
  entry.value = parse_number(word.substr(equals + 1));
  if (key == "rbytes" || key == "wbytes" || key == "dbytes")
    stats.service_bytes.push_back(entry);
  else if (key == "rios" || key == "wios" || key == "dios")
    stats.serviced.push_back(entry);
}

BlockIoStats read_block_io(const Directory& directory) {
  BlockIoStats stats;
  for_each_line(text_of(directory, "io.stat"), [&](std::string_view line) {
    const std::vector<std::string> words = words_of(line);
    const size_t colon = words.empty() ? std::string::npos : words[0].find(':');
    if (colon == std::string::npos) return;
    const BlockIoEntry device{.major = parse_number(words[0].substr(0, colon)),
                              .minor = parse_number(words[0].substr(colon + 1))};
    for (const std::string& word : words) read_io_word(word, device, stats);
  });
  stats.pressure = pressure_of(directory, "io.pressure");
  return stats;
}

}  // namespace

Result<Stats> stats_v2(const Directory& directory) {
  Stats stats{.cpu = TRY(read_cpu(directory))};
  if (directory.read("memory.current")) stats.memory = read_memory(directory);
  if (directory.read("pids.current")) stats.pids = pids_of(directory);
  stats.block_io = read_block_io(directory);
  stats.hugetlb = hugetlb_v2(directory);
  read_rdma(directory, stats);
  return stats;
}

}  // namespace berth::cgroup
