// SPDX-License-Identifier: Apache-2.0
#include "cgroup/counters.h"

#include <dirent.h>
#include <fcntl.h>

#include <algorithm>
#include <charconv>

#include "cgroup/read_stats.h"
#include "cgroup/writes.h"

namespace berth::cgroup {
namespace {

constexpr uint64_t kMostNumbers = 1 << 16;  // CPUs and memory nodes are fewer

// Of "avg10=1.25" the number, for the key "avg10": the kernel writes two digits after the point.
// std::from_chars of a double would bring tables and three more parsers (decision 13).
bool read_real(std::string_view word, std::string_view key, double& value) {
  if (!word.starts_with(key) || !word.substr(key.size()).starts_with('=')) return false;
  word.remove_prefix(key.size() + 1);
  uint64_t whole = 0;
  unsigned hundredths = 0;
  const auto [point, error] = std::from_chars(word.data(), word.data() + word.size(), whole);
  if (error != std::errc()) return false;
  const char* const end = word.data() + word.size();
  if (end - point == 3) std::from_chars(point + 1, end, hundredths);
  value = static_cast<double>(whole) + hundredths / 100.0;
  return true;
}

void read_pressure_word(std::string_view word, PressureLine& line) {
  constexpr std::string_view kTotal = "total=";
  if (word.starts_with(kTotal)) line.total_us = parse_number(word.substr(kTotal.size()));
  (void)(read_real(word, "avg10", line.avg10) || read_real(word, "avg60", line.avg60) ||
         read_real(word, "avg300", line.avg300));
}

}  // namespace

std::string text_of(const Directory& directory, const std::string& file) {
  Result<std::string> text = directory.read(file);
  return text ? *std::move(text) : std::string();
}

uint64_t number_of(const Directory& directory, const std::string& file) {
  const std::string text = text_of(directory, file);
  return text.empty() ? 0 : parse_number(text);
}

std::vector<std::string> words_of(std::string_view text) {
  std::string path(trimmed(text));
  std::ranges::replace(path, ' ', '/');
  return split_path(path);
}

Counters counters_of(const Directory& directory, const std::string& file) {
  Counters counters;
  for_each_line(text_of(directory, file), [&](std::string_view line) {
    const size_t space = line.find(' ');
    if (space != line.npos)
      counters.emplace_back(line.substr(0, space), parse_number(line.substr(space + 1)));
  });
  return counters;
}

uint64_t value_of(const Counters& counters, std::string_view key) {
  const auto found = std::ranges::find(counters, key, &Counters::value_type::first);
  return found == counters.end() ? 0 : found->second;
}

std::vector<uint64_t> numbers_of(const Directory& directory, const std::string& file) {
  std::vector<uint64_t> numbers;
  for (const std::string& word : words_of(text_of(directory, file)))
    numbers.push_back(parse_number(word));
  return numbers;
}

std::vector<unsigned> parse_list(std::string_view text) {
  std::string list(trimmed(text));
  std::ranges::replace(list, ',', ' ');
  std::vector<unsigned> numbers;
  for (const std::string& range : words_of(list)) {
    const size_t dash = range.find('-');
    const uint64_t first = parse_number(range.substr(0, dash));
    const uint64_t last = dash == range.npos ? first : parse_number(range.substr(dash + 1));
    if (last > kMostNumbers) return {};
    for (uint64_t each = first; each <= last; ++each)
      numbers.push_back(static_cast<unsigned>(each));
  }
  return numbers;
}

std::optional<Pressure> parse_pressure(std::string_view text) {
  Pressure pressure;
  bool found = false;
  for_each_line(text, [&](std::string_view line) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty() || (words[0] != "some" && words[0] != "full")) return;
    found = true;
    for (const std::string& word : words)
      read_pressure_word(word, words[0] == "some" ? pressure.some : pressure.full);
  });
  return found ? std::optional(pressure) : std::nullopt;
}

std::optional<Pressure> pressure_of(const Directory& directory, const std::string& file) {
  return parse_pressure(text_of(directory, file));
}

std::vector<RdmaEntry> parse_rdma(std::string_view text) {
  std::vector<RdmaEntry> entries;
  for_each_line(text, [&](std::string_view line) {
    const std::vector<std::string> words = words_of(line);
    if (words.empty()) return;
    RdmaEntry entry{.device = words[0]};
    for (const std::string_view word : words) {
      const std::string_view value = word.substr(std::min(word.find('=') + 1, word.size()));
      if (word.starts_with("hca_handle=")) entry.handles = parse_number(value);
      if (word.starts_with("hca_object=")) entry.objects = parse_number(value);
    }
    entries.push_back(std::move(entry));
  });
  return entries;
}

PidsStats pids_of(const Directory& directory) {
  const uint64_t limit = number_of(directory, "pids.max");
  const Result<std::string> peak = directory.read("pids.peak");
  return {.current = number_of(directory, "pids.current"),
          .limit = limit == UINT64_MAX ? 0 : limit,
          .peak = peak ? std::optional(parse_number(*peak)) : std::nullopt};
}

void read_rdma(const Directory& directory, Stats& stats) {
  stats.rdma_usage = parse_rdma(text_of(directory, "rdma.current"));
  stats.rdma_limit = parse_rdma(text_of(directory, "rdma.max"));
}

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

std::vector<HugetlbStats> hugetlb_v1(const Directory& directory) {
  std::vector<HugetlbStats> stats;
  for (const std::string& size : hugepage_sizes(directory, ".limit_in_bytes")) {
    const std::string prefix = "hugetlb." + size;
    stats.push_back({size, number_of(directory, prefix + ".usage_in_bytes"),
                     number_of(directory, prefix + ".max_usage_in_bytes"),
                     number_of(directory, prefix + ".failcnt")});
  }
  return stats;
}

std::vector<HugetlbStats> hugetlb_v2(const Directory& directory) {
  std::vector<HugetlbStats> stats;
  for (const std::string& size : hugepage_sizes(directory, ".max")) {
    const std::string prefix = "hugetlb." + size;
    const uint64_t failed = value_of(text_of(directory, prefix + ".events"), "max");
    stats.push_back({size, number_of(directory, prefix + ".current"), 0, failed});
  }
  return stats;
}

}  // namespace berth::cgroup
