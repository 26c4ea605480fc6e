// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "spec/read_spec.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

// The resources and the pointer with which each rule's pointer begins.
struct Subject {
  const Resources& resources;
  std::string_view pointer;

  template <typename... Args>
  std::unexpected<Error> bad(std::string_view member, fmt::format_string<const Args&...> text,
                             const Args&... args) const {
    return invalid(std::string(pointer) + std::string(member), text, args...);
  }
};

Result<> device_rules_are_sound(const Subject& subject) {
  for (size_t i = 0; i < subject.resources.devices.size(); ++i) {
    const DeviceRule& rule = subject.resources.devices[i];
    const std::string at = formatted("/devices/{}", i);
    if (rule.access.find_first_not_of("rwm") != std::string::npos) {
      return subject.bad(at + "/access", "may have the letters r, w and m only");
    }
    if (rule.major.value_or(0) < -1 || rule.major.value_or(0) > UINT32_MAX) {
      return subject.bad(at + "/major", "not a device number, nor -1 for all");
    }
    if (rule.minor.value_or(0) < -1 || rule.minor.value_or(0) > UINT32_MAX) {
      return subject.bad(at + "/minor", "not a device number, nor -1 for all");
    }
  }
  return {};
}

Result<> memory_is_sound(const Subject& subject) {
  if (!subject.resources.memory) return {};
  const MemoryResources& memory = *subject.resources.memory;
  if (memory.limit.value_or(0) < -1) return subject.bad("/memory/limit", "less than -1");
  if (memory.reservation.value_or(0) < -1)
    return subject.bad("/memory/reservation", "less than -1");
  if (memory.swap.value_or(0) < -1) return subject.bad("/memory/swap", "less than -1");
  if (memory.swappiness.value_or(0) > 100)
    return subject.bad("/memory/swappiness", "must be from 0 to 100");
  const int64_t limit = memory.limit.value_or(0);
  const int64_t swap = memory.swap.value_or(0);
  if (limit > 0 && swap > 0 && swap < limit) {
    return subject.bad("/memory/swap", "less than the memory limit, which it includes");
  }
  return {};
}

Result<> cpu_is_sound(const Subject& subject) {
  if (!subject.resources.cpu) return {};
  const CpuResources& cpu = *subject.resources.cpu;
  if (!is_number_list(cpu.cpus)) return subject.bad("/cpu/cpus", "not a list of CPUs");
  if (!is_number_list(cpu.mems)) return subject.bad("/cpu/mems", "not a list of memory nodes");
  if (cpu.idle.value_or(0) < 0 || cpu.idle.value_or(0) > 1)
    return subject.bad("/cpu/idle", "must be 0 or 1");
  return {};
}

bool is_weight(std::optional<uint16_t> weight) {
  return !weight || *weight == 0 || (*weight >= 10 && *weight <= 1000);
}

Result<> block_io_is_sound(const Subject& subject) {
  if (!subject.resources.block_io) return {};
  const BlockIoResources& io = *subject.resources.block_io;
  if (!is_weight(io.weight)) return subject.bad("/blockIO/weight", "must be from 10 to 1000");
  if (!is_weight(io.leaf_weight))
    return subject.bad("/blockIO/leafWeight", "must be from 10 to 1000");
  for (size_t i = 0; i < io.weight_device.size(); ++i) {
    if (is_weight(io.weight_device[i].weight) && is_weight(io.weight_device[i].leaf_weight))
      continue;
    return subject.bad(formatted("/blockIO/weightDevice/{}", i),
                       "a weight must be from 10 to 1000");
  }
  return {};
}

// As in the name of a hugetlb file: "2MB".
bool is_page_size(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789");
  if (digits == 0 || digits == std::string_view::npos || text.front() == '0') return false;
  const std::string_view unit = text.substr(digits);
  return unit == "KB" || unit == "MB" || unit == "GB";
}

Result<> huge_pages_are_sound(const Subject& subject) {
  for (size_t i = 0; i < subject.resources.hugepage_limits.size(); ++i) {
    if (is_page_size(subject.resources.hugepage_limits[i].page_size)) continue;
    return subject.bad(formatted("/hugepageLimits/{}/pageSize", i), "not a page size such as 2MB");
  }
  return {};
}

Result<> names_are_sound(const Subject& subject) {
  if (subject.resources.network) {
    const auto& priorities = subject.resources.network->priorities;
    for (size_t i = 0; i < priorities.size(); ++i) {
      if (is_interface_name(priorities[i].name)) continue;
      return subject.bad(formatted("/network/priorities/{}/name", i),
                         "not the name of a network device");
    }
  }
  for (const RdmaLimit& limit : subject.resources.rdma) {
    const bool bad = limit.device.empty() || has_control_character(limit.device);
    if (bad || limit.device.contains(' ')) return subject.bad("/rdma", "not the name of a device");
  }
  // The keys are names of files in the container's cgroup.
  for (const auto& [file, value] : subject.resources.unified) {
    const bool bad = file.empty() || file == "." || file == ".." || has_control_character(file);
    if (bad || file.contains('/'))
      return subject.bad("/unified", "\"{}\" is not the name of a cgroup file", file);
  }
  return {};
}

}  // namespace

Result<> validate_resources(const Resources& resources, std::string_view pointer) {
  const Subject subject{resources, pointer};
  TRY(device_rules_are_sound(subject));
  TRY(memory_is_sound(subject));
  TRY(cpu_is_sound(subject));
  TRY(block_io_is_sound(subject));
  TRY(huge_pages_are_sound(subject));
  TRY(names_are_sound(subject));
  if (resources.pids_limit.value_or(0) < -1) return subject.bad("/pids/limit", "less than -1");
  return {};
}

}  // namespace berth::spec
