// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>

#include "cgroup/resctrl.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/directory_list.h"
#include "os/file.h"

namespace berth::cgroup {
namespace {

constexpr size_t kFileLimit = 1 << 20;

// Empty where the kernel or the processor does not have it.
std::string text_in(const std::string& path) {
  const Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), kFileLimit);
  return text ? std::string(trimmed(*text)) : std::string();
}

// Nothing for "Unavailable" and "Error" either, which the kernel says of a counter at times.
std::optional<uint64_t> number_in(const std::string& path) {
  const std::string text = text_in(path);
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || text.empty() || end != text.data() + text.size()) return {};
  return number;
}

bool is_there(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

// The root is a class, too, and the only one that has `info`.
std::string root_of(const std::string& of_class) {
  return is_there(of_class + "/info") ? of_class : of_class.substr(0, of_class.rfind('/'));
}

// The lines of "L3:0=fffff;1=fffff", also "L3CODE:" and "L3DATA:" where the two are divided.
std::string lines_of(std::string_view schemata, std::string_view resource) {
  std::string lines;
  while (!schemata.empty()) {
    const size_t end = std::min(schemata.find('\n'), schemata.size());
    const std::string_view line = trimmed(schemata.substr(0, end));
    if (line.starts_with(resource))
      lines.append(lines.empty() ? "" : "\n").append(line.data(), line.size());
    schemata.remove_prefix(std::min(end + 1, schemata.size()));
  }
  return lines;
}

// Of a processor that divides code and data in the cache, one side tells for both.
std::string cache_info(const std::string& root) {
  std::string place = root + "/info/L3";
  return is_there(place) ? place : place + "CODE";
}

std::optional<RdtCache> read_cache(const std::string& root, const std::string& of_class) {
  const std::string info = cache_info(root);
  if (!is_there(info)) return {};
  return RdtCache{.cbm_mask = text_in(info + "/cbm_mask"),
                  .min_cbm_bits = number_in(info + "/min_cbm_bits").value_or(0),
                  .num_closids = number_in(info + "/num_closids").value_or(0),
                  .schema_root = lines_of(text_in(root + "/schemata"), "L3"),
                  .schema = lines_of(text_in(of_class + "/schemata"), "L3")};
}

std::optional<RdtBandwidth> read_bandwidth(const std::string& root, const std::string& of_class) {
  const std::string info = root + "/info/MB";
  if (!is_there(info)) return {};
  return RdtBandwidth{.granularity = number_in(info + "/bandwidth_gran").value_or(0),
                      .delay_linear = number_in(info + "/delay_linear").value_or(0),
                      .min_bandwidth = number_in(info + "/min_bandwidth").value_or(0),
                      .num_closids = number_in(info + "/num_closids").value_or(0),
                      .schema_root = lines_of(text_in(root + "/schemata"), "MB:"),
                      .schema = lines_of(text_in(of_class + "/schemata"), "MB:")};
}

std::vector<std::string> domains_in(const std::string& place) {
  std::vector<std::string> names;
  const os::DirectoryList list(::opendir(place.c_str()));
  while (const dirent* entry = list ? ::readdir(list.get()) : nullptr) {
    if (std::string_view(entry->d_name).starts_with("mon_L3_")) names.emplace_back(entry->d_name);
  }
  std::ranges::sort(names);
  return names;
}

std::vector<RdtDomain> read_domains(const std::string& group) {
  std::vector<RdtDomain> domains;
  const std::string place = group + "/mon_data";
  for (const std::string& name : domains_in(place)) {
    const std::string domain = formatted("{}/{}/", place, name);
    domains.push_back({.name = name.substr(name.rfind('_') + 1),
                       .llc_occupancy = number_in(domain + "llc_occupancy"),
                       .mbm_total = number_in(domain + "mbm_total_bytes"),
                       .mbm_local = number_in(domain + "mbm_local_bytes")});
  }
  return domains;
}

}  // namespace

RdtStats class_stats(const RdtPlaces& places) {
  if (places.tasks.empty()) return {};
  const std::string& of_class = places.tasks.front();
  const std::string root = root_of(of_class);
  return {.cache = read_cache(root, of_class),
          .bandwidth = read_bandwidth(root, of_class),
          .domains = read_domains(places.tasks.back())};
}

}  // namespace berth::cgroup
