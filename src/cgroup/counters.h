// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "berth/stats.h"
#include "cgroup/directory.h"

// The forms in which the files of cgroups count. A counter that this kernel or cgroup does not have
// is 0 or empty: which ones there are differs from kernel to kernel.
namespace berth::cgroup {

std::string text_of(const Directory& directory, const std::string& file);
uint64_t number_of(const Directory& directory, const std::string& file);

std::vector<std::string> words_of(std::string_view text);

template <typename Each>
void for_each_line(std::string_view text, Each each) {
  while (!text.empty()) {
    const size_t end = text.find('\n') == text.npos ? text.size() : text.find('\n');
    if (end > 0) each(text.substr(0, end));
    text.remove_prefix(end == text.size() ? end : end + 1);
  }
}

// "KEY VALUE" lines.
Counters counters_of(const Directory& directory, const std::string& file);
uint64_t value_of(const Counters& counters, std::string_view key);

// "3 14 15": one for each CPU.
std::vector<uint64_t> numbers_of(const Directory& directory, const std::string& file);

// "0-2,5".
std::vector<unsigned> parse_list(std::string_view text);

// "some avg10=0.00 avg60=0.00 avg300=0.00 total=0", and "full" of the same form where there is one.
std::optional<Pressure> parse_pressure(std::string_view text);
std::optional<Pressure> pressure_of(const Directory& directory, const std::string& file);

// "mlx4_0 hca_handle=2 hca_object=2000", "max" for no limit.
std::vector<RdmaEntry> parse_rdma(std::string_view text);

// The files of a controller that are the same on v1 and v2.
PidsStats pids_of(const Directory& directory);
void read_rdma(const Directory& directory, Stats& stats);

// The files hugetlb.SIZE.* of v1 or v2.
std::vector<HugetlbStats> hugetlb_v1(const Directory& directory);
std::vector<HugetlbStats> hugetlb_v2(const Directory& directory);

}  // namespace berth::cgroup
