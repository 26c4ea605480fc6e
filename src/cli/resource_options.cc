// SPDX-License-Identifier: Apache-2.0
#include "cli/resource_options.h"

#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "berth/try.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// Each sets its target only when the option was given.
class Setter {
 public:
  explicit Setter(const Arguments& arguments) : arguments_(arguments) {}

  template <typename Number>
  Result<> number(std::string_view name, std::optional<Number>& target) {
    if (!arguments_.given(name)) return {};
    if constexpr (std::is_signed_v<Number>) {
      target = TRY(parse_integer(arguments_.text(name)) | context("option --{}", name));
    } else {
      auto value = TRY(parse_unsigned(arguments_.text(name)) | context("option --{}", name));
      if (value > std::numeric_limits<Number>::max()) {
        return fail(ErrorKind::InvalidUse, "option --{}: {} is too large", name, value);
      }
      target = static_cast<Number>(value);
    }
    any_ = true;
    return {};
  }

  Result<> size(std::string_view name, std::optional<int64_t>& target) {
    if (!arguments_.given(name)) return {};
    target = TRY(parse_size(arguments_.text(name)) | context("option --{}", name));
    any_ = true;
    return {};
  }

  void text(std::string_view name, std::string& target) {
    if (!arguments_.given(name)) return;
    target = arguments_.text(name);
    any_ = true;
  }

  // An option that may be repeated: `add` takes each value.
  template <typename Add>
  Result<> each(std::string_view name, const Add& add) {
    for (const std::string& text : arguments_.texts(name)) {
      TRY(add(text) | context("option --{}", name));
      any_ = true;
    }
    return {};
  }

  // Whether anything was set since the last time this was asked.
  bool any() { return std::exchange(any_, false); }

 private:
  const Arguments& arguments_;
  bool any_ = false;
};

Result<> read_cpu(Setter& set, Resources& resources) {
  CpuResources cpu;
  TRY(set.number("cpu-share", cpu.shares));
  TRY(set.number("cpu-quota", cpu.quota));
  TRY(set.number("cpu-burst", cpu.burst));
  TRY(set.number("cpu-period", cpu.period));
  TRY(set.number("cpu-rt-runtime", cpu.realtime_runtime));
  TRY(set.number("cpu-rt-period", cpu.realtime_period));
  TRY(set.number("cpu-idle", cpu.idle));
  set.text("cpuset-cpus", cpu.cpus);
  set.text("cpuset-mems", cpu.mems);
  if (set.any()) resources.cpu = std::move(cpu);
  return {};
}

Result<> read_memory(Setter& set, Resources& resources) {
  MemoryResources memory;
  TRY(set.size("memory", memory.limit));
  TRY(set.size("memory-reservation", memory.reservation));
  TRY(set.size("memory-swap", memory.swap));
  TRY(set.size("kernel-memory", memory.kernel));
  TRY(set.size("kernel-memory-tcp", memory.kernel_tcp));
  if (set.any()) resources.memory = memory;
  return {};
}

struct DeviceValue {
  int64_t major = 0;
  int64_t minor = 0;
  std::string_view value = {};
};

Result<DeviceValue> parse_device_value(std::string_view text) {
  const size_t first = text.find(':');
  const size_t second = first == text.npos ? text.npos : text.find(':', first + 1);
  if (second == text.npos) {
    return fail(ErrorKind::InvalidUse, "\"{}\" is not MAJOR:MINOR:VALUE, such as 8:0:10m", text);
  }
  return DeviceValue{.major = TRY(parse_integer(text.substr(0, first))),
                     .minor = TRY(parse_integer(text.substr(first + 1, second - first - 1))),
                     .value = text.substr(second + 1)};
}

Result<> read_block_io(Setter& set, Resources& resources) {
  BlockIoResources io;
  const auto throttle = [](std::vector<ThrottleDevice>& devices) {
    return [&devices](std::string_view text) -> Result<> {
      const DeviceValue device = TRY(parse_device_value(text));
      const int64_t rate = TRY(parse_size(device.value));
      // No limit is 0 in config.json.
      devices.push_back({device.major, device.minor, static_cast<uint64_t>(rate < 0 ? 0 : rate)});
      return {};
    };
  };
  TRY(set.number("blkio-weight", io.weight));
  TRY(set.each(
      "blkio-weight-device",
      [&io](std::string_view text) -> Result<> {
        const DeviceValue device = TRY(parse_device_value(text));
        const uint64_t weight = TRY(parse_unsigned(device.value));
        if (weight > std::numeric_limits<uint16_t>::max())
          return fail(ErrorKind::InvalidUse, "{} is too large", weight);
        io.weight_device.push_back({.major = device.major,
                                    .minor = device.minor,
                                    .weight = static_cast<uint16_t>(weight)});
        return {};
      }));
  TRY(set.each("device-read-bps", throttle(io.throttle_read_bps)));
  TRY(set.each("device-write-bps", throttle(io.throttle_write_bps)));
  TRY(set.each("device-read-iops", throttle(io.throttle_read_iops)));
  TRY(set.each("device-write-iops", throttle(io.throttle_write_iops)));
  if (set.any()) resources.block_io = std::move(io);
  return {};
}

}  // namespace

Result<Resources> resources_of_options(const Arguments& arguments) {
  Resources resources;
  Setter set(arguments);
  TRY(read_cpu(set, resources));
  TRY(read_memory(set, resources));
  TRY(read_block_io(set, resources));
  TRY(set.number("pids-limit", resources.pids_limit));
  TRY(set.each(
      "unified",
      [&resources](const std::string& text) -> Result<> {
        const size_t equals = text.find('=');
        if (equals == text.npos || equals == 0) {
          return fail(ErrorKind::InvalidUse, "\"{}\" is not FILE=VALUE, such as memory.high=64M",
                      text);
        }
        resources.unified.emplace_back(text.substr(0, equals), text.substr(equals + 1));
        return {};
      }));
  return resources;
}

}  // namespace berth::cli
