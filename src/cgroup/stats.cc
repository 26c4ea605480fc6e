// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "cgroup/read_stats.h"
#include "cgroup/writes.h"

namespace berth::cgroup {
namespace {

// A counter that this kernel or cgroup does not have is 0.
uint64_t number(const Directory& directory, const std::string& file) {
  Result<std::string> text = directory.read(file);
  return text ? parse_number(*text) : 0;
}

std::string text_of(const Directory& directory, const std::string& file) {
  Result<std::string> text = directory.read(file);
  return text ? *std::move(text) : std::string();
}

std::vector<std::string> words(std::string_view text) {
  std::string path(text);
  std::ranges::replace(path, ' ', '/');
  return split_path(path);
}

template <typename Each>
void for_each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

std::vector<std::pair<std::string, uint64_t>> key_values(std::string_view text) {
  std::vector<std::pair<std::string, uint64_t>> pairs;
  for_each_line(text, [&](std::string_view line) {
    const size_t space = line.find(' ');
    if (space != line.npos)
      pairs.emplace_back(line.substr(0, space), parse_number(line.substr(space + 1)));
  });
  return pairs;
}

bool parse_device(std::string_view text, BlockIoEntry& entry) {
  const size_t colon = text.find(':');
  if (colon == text.npos) return false;
  entry.major = parse_number(text.substr(0, colon));
  entry.minor = parse_number(text.substr(colon + 1));
  return true;
}

MemoryCounter counter_v1(const Directory& memory, const std::string& prefix) {
  return {.limit = number(memory, prefix + "limit_in_bytes"),
          .usage = number(memory, prefix + "usage_in_bytes"),
          .max = number(memory, prefix + "max_usage_in_bytes"),
          .failcnt = number(memory, prefix + "failcnt")};
}

// "8:0 Read 123", or "8:0 123".
void read_blkio(const Directory& blkio, const std::string& file,
                std::vector<BlockIoEntry>& entries) {
  for_each_line(text_of(blkio, file), [&](std::string_view line) {
    const std::vector<std::string> parts = words(line);
    BlockIoEntry entry;
    if (parts.size() < 2 || !parse_device(parts[0], entry)) return;
    if (parts.size() > 2) entry.op = parts[1];
    entry.value = parse_number(parts.back());
    entries.push_back(entry);
  });
}

void cpu_v1(const DirectoryOf& of, CpuStats& cpu) {
  if (const Directory* account = of("cpuacct")) {
    cpu.total_ns = number(*account, "cpuacct.usage");
    cpu.user_ns = number(*account, "cpuacct.usage_user");
    cpu.kernel_ns = number(*account, "cpuacct.usage_sys");
    for (const std::string& each : words(trimmed(text_of(*account, "cpuacct.usage_percpu"))))
      cpu.percpu_ns.push_back(parse_number(each));
  }
  if (const Directory* limits = of("cpu")) {
    const std::string text = text_of(*limits, "cpu.stat");
    cpu.periods = value_of(text, "nr_periods");
    cpu.throttled_periods = value_of(text, "nr_throttled");
    cpu.throttled_ns = value_of(text, "throttled_time");
  }
}

MemoryStats memory_v1(const Directory& memory) {
  MemoryStats stats;
  stats.raw = key_values(text_of(memory, "memory.stat"));
  for (const auto& [key, value] : stats.raw) {
    if (key == "cache") stats.cache = value;
  }
  stats.usage = counter_v1(memory, "memory.");
  stats.swap = counter_v1(memory, "memory.memsw.");
  stats.kernel = counter_v1(memory, "memory.kmem.");
  stats.kernel_tcp = counter_v1(memory, "memory.kmem.tcp.");
  return stats;
}

void block_io_v1(const Directory& blkio, BlockIoStats& stats) {
  read_blkio(blkio, "blkio.throttle.io_service_bytes_recursive", stats.service_bytes);
  read_blkio(blkio, "blkio.throttle.io_serviced_recursive", stats.serviced);
  read_blkio(blkio, "blkio.bfq.io_queued_recursive", stats.queued);
  read_blkio(blkio, "blkio.bfq.io_service_time_recursive", stats.service_time);
  read_blkio(blkio, "blkio.bfq.io_wait_time_recursive", stats.wait_time);
  read_blkio(blkio, "blkio.bfq.io_merged_recursive", stats.merged);
  read_blkio(blkio, "blkio.bfq.time_recursive", stats.time);
  read_blkio(blkio, "blkio.bfq.sectors_recursive", stats.sectors);
}

std::pair<uint64_t, uint64_t> pids(const Directory& directory) {
  const uint64_t limit = number(directory, "pids.max");
  return {number(directory, "pids.current"), limit == UINT64_MAX ? 0 : limit};
}

// memory and swap are counted apart on v2, in one sum on v1, which is what `swap` means to the
// readers.
uint64_t sum_of_limits(uint64_t left, uint64_t right) {
  return left == UINT64_MAX || right == UINT64_MAX ? UINT64_MAX : left + right;
}

MemoryStats memory_v2(const Directory& directory) {
  MemoryStats stats;
  stats.raw = key_values(text_of(directory, "memory.stat"));
  for (const auto& [key, value] : stats.raw) {
    if (key == "file") stats.cache = value;
  }
  stats.usage = {.limit = number(directory, "memory.max"),
                 .usage = number(directory, "memory.current"),
                 .max = number(directory, "memory.peak"),
                 .failcnt = value_of(text_of(directory, "memory.events"), "max")};
  stats.swap.usage = stats.usage.usage + number(directory, "memory.swap.current");
  stats.swap.limit = sum_of_limits(stats.usage.limit, number(directory, "memory.swap.max"));
  return stats;
}

// "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=0 dios=0"
void block_io_v2(std::string_view text, BlockIoStats& stats) {
  for_each_line(text, [&](std::string_view line) {
    const std::vector<std::string> parts = words(line);
    BlockIoEntry entry;
    if (parts.empty() || !parse_device(parts[0], entry)) return;
    for (const std::string_view part : parts) {
      const size_t equals = part.find('=');
      if (equals == part.npos) continue;
      const std::string_view key = part.substr(0, equals);
      entry.op = key.starts_with('r') ? "Read" : key.starts_with('w') ? "Write" : "Discard";
      entry.value = parse_number(part.substr(equals + 1));
      if (key.ends_with("bytes"))
        stats.service_bytes.push_back(entry);
      else if (key.ends_with("ios"))
        stats.serviced.push_back(entry);
    }
  });
}

}  // namespace

std::vector<std::string> hugepage_sizes(const Directory& directory, std::string_view last_part) {
  std::vector<std::string> sizes;
  Result<int> fd = directory.fd();
  const int copy = fd ? ::openat(*fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  DIR* listing = copy >= 0 ? ::fdopendir(copy) : nullptr;
  if (!listing) return sizes;
  constexpr std::string_view kPrefix = "hugetlb.";
  while (const dirent* entry = ::readdir(listing)) {
    std::string_view name = entry->d_name;
    if (!name.starts_with(kPrefix) || !name.ends_with(last_part)) continue;
    name.remove_prefix(kPrefix.size());
    name.remove_suffix(last_part.size());
    if (name.find('.') == name.npos) sizes.emplace_back(name);
  }
  ::closedir(listing);
  std::ranges::sort(sizes);
  return sizes;
}

Result<Stats> stats_v1(const DirectoryOf& directory_of) {
  Stats stats;
  cpu_v1(directory_of, stats.cpu);
  if (const Directory* memory = directory_of("memory")) stats.memory = memory_v1(*memory);
  if (const Directory* directory = directory_of("pids")) stats.pids = pids(*directory);
  if (const Directory* blkio = directory_of("blkio")) block_io_v1(*blkio, stats.block_io);
  if (const Directory* hugetlb = directory_of("hugetlb")) {
    for (const std::string& size : hugepage_sizes(*hugetlb, ".limit_in_bytes")) {
      const std::string prefix = "hugetlb." + size;
      stats.hugetlb.push_back({size, number(*hugetlb, prefix + ".usage_in_bytes"),
                               number(*hugetlb, prefix + ".max_usage_in_bytes"),
                               number(*hugetlb, prefix + ".failcnt")});
    }
  }
  return stats;
}

Result<Stats> stats_v2(const Directory& directory) {
  Stats stats;
  const std::string cpu = TRY(directory.read("cpu.stat"));
  stats.cpu = {.total_ns = value_of(cpu, "usage_usec") * 1000,
               .kernel_ns = value_of(cpu, "system_usec") * 1000,
               .user_ns = value_of(cpu, "user_usec") * 1000,
               .periods = value_of(cpu, "nr_periods"),
               .throttled_periods = value_of(cpu, "nr_throttled"),
               .throttled_ns = value_of(cpu, "throttled_usec") * 1000};
  if (directory.read("memory.current")) stats.memory = memory_v2(directory);
  if (directory.read("pids.current")) stats.pids = pids(directory);
  block_io_v2(text_of(directory, "io.stat"), stats.block_io);
  for (const std::string& size : hugepage_sizes(directory, ".max")) {
    const std::string prefix = "hugetlb." + size;
    const uint64_t failed = value_of(text_of(directory, prefix + ".events"), "max");
    stats.hugetlb.push_back({size, number(directory, prefix + ".current"), 0, failed});
  }
  return stats;
}

}  // namespace berth::cgroup
