// SPDX-License-Identifier: Apache-2.0
// What of a container's limits systemd has a property for: systemd.resource-control(5), and
// org.freedesktop.systemd1(5) for the types on the bus.
#include <algorithm>
#include <charconv>
#include <optional>

#include "plan/plan_unit.h"

namespace berth::plan {
namespace {

constexpr uint64_t kUnset = UINT64_MAX;  // CGROUP_WEIGHT_INVALID, CGROUP_LIMIT_MAX

std::optional<uint64_t> number_of(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

using Convert = std::optional<BusValue> (*)(std::string_view);

std::optional<BusValue> plain(std::string_view text) {
  const std::optional<uint64_t> value = number_of(text);
  if (!value) return {};
  return bus_number('t', *value);
}

// "max" of v2 and "-1" of v1 are no limit.
std::optional<BusValue> limit(std::string_view text) {
  if (text == "max" || text == "-1") return bus_number('t', kUnset);
  return plain(text);
}

// The kernel takes "32M" for a size, and systemd a number only.
std::optional<BusValue> size(std::string_view text) {
  constexpr std::string_view kUnits = "KMGTPE";
  constexpr unsigned kShift = 10;
  if (text.empty()) return {};
  const size_t unit = kUnits.find(static_cast<char>(text.back() & ~0x20));
  if (unit == kUnits.npos) return limit(text);
  const std::optional<uint64_t> count = number_of(text.substr(0, text.size() - 1));
  const size_t shift = kShift * (unit + 1);
  if (!count || *count > kUnset >> shift) return {};
  return bus_number('t', *count << shift);
}

// 0 takes a cgroup's weight away, beside any other it runs when nobody else wants to.
std::optional<BusValue> idle(std::string_view text) {
  if (text != "0" && text != "1") return {};
  return bus_number('t', text == "1" ? 0 : kUnset);
}

std::optional<BusValue> oom_policy(std::string_view text) {
  if (text != "0" && text != "1") return {};
  return bus_string(text == "1" ? "kill" : "continue");
}

// "0-2,5" as a bit for each number, the first in the lowest of the first byte.
std::optional<BusValue> mask(std::string_view text) {
  constexpr uint64_t kMost = 8192;
  std::vector<uint8_t> bytes;
  while (!text.empty()) {
    const std::string_view range = text.substr(0, text.find(','));
    text.remove_prefix(std::min(range.size() + 1, text.size()));
    const size_t dash = range.find('-');
    const auto first = number_of(range.substr(0, dash));
    const auto last = dash == range.npos ? first : number_of(range.substr(dash + 1));
    if (!first || !last || *first > *last || *last >= kMost) return {};
    if (bytes.size() <= *last / 8) bytes.resize(*last / 8 + 1);
    for (uint64_t each = *first; each <= *last; ++each)
      bytes[each / 8] |= static_cast<uint8_t>(1U << each % 8);
  }
  return bus_bytes(bytes);
}

struct Row {
  std::string_view file;
  std::string_view property;
  int since;  // systemd's version
  Convert convert;
};

constexpr Row kRows[] = {
    // v2
    {"memory.max", "MemoryMax", 231, size},
    {"memory.high", "MemoryHigh", 231, size},
    {"memory.low", "MemoryLow", 231, size},
    {"memory.min", "MemoryMin", 240, size},
    {"memory.swap.max", "MemorySwapMax", 232, size},
    {"memory.zswap.max", "MemoryZSwapMax", 253, size},
    {"memory.oom.group", "OOMPolicy", 253, oom_policy},
    {"cpu.idle", "CPUWeight", 252, idle},
    {"cpu.weight", "CPUWeight", 232, plain},
    {"cpuset.cpus", "AllowedCPUs", 244, mask},
    {"cpuset.mems", "AllowedMemoryNodes", 244, mask},
    // both
    {"pids.max", "TasksMax", 227, limit},
    // v1
    {"memory.limit_in_bytes", "MemoryLimit", 205, limit},
    {"cpu.shares", "CPUShares", 205, plain},
    {"blkio.weight", "BlockIOWeight", 205, plain},
    {"blkio.bfq.weight", "BlockIOWeight", 205, plain},
};

void set(UnitProperty property, std::vector<UnitProperty>& properties) {
  const auto old = std::ranges::find(properties, property.name, &UnitProperty::name);
  if (old == properties.end())
    properties.push_back(std::move(property));
  else
    *old = std::move(property);
}

std::optional<uint64_t> quota_of(std::string_view text) {
  return text == "max" || text == "-1" ? CpuQuota::kNone : number_of(text);
}

bool read_quota(const CgroupWrite& write, CpuQuota& quota) {
  if (write.file == "cpu.max")
    quota = read_cpu_max(write.value, quota);
  else if (write.file == "cpu.cfs_quota_us")
    quota.quota = quota_of(write.value).value_or(quota.quota);
  else if (write.file == "cpu.cfs_period_us")
    quota.period = number_of(write.value).value_or(quota.period);
  else
    return false;
  return true;
}

// systemd keeps the quota in parts of a hundred: rounded up, so that it never gives less than the
// exact value that is written to the cgroup afterwards.
uint64_t per_second(uint64_t quota, uint64_t period) {
  constexpr uint64_t kSecond = 1000000, kPercent = 10000;
  if (quota == CpuQuota::kNone || period == 0 || quota > UINT64_MAX / kSecond) return kUnset;
  const uint64_t exact = (quota * kSecond + period - 1) / period;
  return (exact + kPercent - 1) / kPercent * kPercent;
}

}  // namespace

CpuQuota read_cpu_max(std::string_view text, CpuQuota quota) {
  const size_t space = text.find(' ');
  quota.quota = quota_of(text.substr(0, space)).value_or(quota.quota);
  if (space != text.npos) quota.period = number_of(text.substr(space + 1)).value_or(quota.period);
  return quota;
}

std::vector<UnitProperty> unit_properties(std::span<const CgroupWrite> writes, int version,
                                          const CpuQuota& now) {
  constexpr int kPeriodSince = 242;
  std::vector<UnitProperty> properties;
  CpuQuota quota = now;
  bool has_quota = false;
  for (const CgroupWrite& write : writes) {
    if (read_quota(write, quota)) has_quota = true;
    const auto row = std::ranges::find(kRows, write.file, &Row::file);
    if (row == std::end(kRows) || row->since > version) continue;
    if (const std::optional<BusValue> value = row->convert(write.value))
      set({std::string(row->property), *value}, properties);
  }
  if (!has_quota) return properties;
  if (version >= kPeriodSince)
    set({"CPUQuotaPeriodUSec", bus_number('t', quota.period)}, properties);
  set({"CPUQuotaPerSecUSec", bus_number('t', per_second(quota.quota, quota.period))}, properties);
  return properties;
}

}  // namespace berth::plan
