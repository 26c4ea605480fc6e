// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "berth/error.h"

namespace [[gnu::visibility("default")]] berth {

// In the order of the file.
using StringMap = std::vector<std::pair<std::string, std::string>>;

// The object linux.resources of config.json (config-linux.md, "Control groups"), shared by create
// and update. Units are the spec's: bytes, microseconds, -1 for no limit. What is not set is not
// touched.

// One of "devices": what may be done with device nodes. The last rule that fits holds.
struct DeviceRule {
  bool allow = false;
  std::optional<char> type = {};  // 'a', 'b', 'c'; absent = 'a'
  std::optional<int64_t> major = {};
  std::optional<int64_t> minor = {};
  std::string access = {};
  bool operator==(const DeviceRule&) const = default;
};

// "memory"; bytes.
struct MemoryResources {
  std::optional<int64_t> limit = {};
  std::optional<int64_t> reservation = {};
  std::optional<int64_t> swap = {};
  std::optional<int64_t> kernel = {};
  std::optional<int64_t> kernel_tcp = {};
  std::optional<uint64_t> swappiness = {};
  std::optional<bool> disable_oom_killer = {};
  std::optional<bool> use_hierarchy = {};
  std::optional<bool> check_before_update = {};
  bool operator==(const MemoryResources&) const = default;
};

// "cpu"; times in microseconds, lists as in "0-3,7".
struct CpuResources {
  std::optional<uint64_t> shares = {};
  std::optional<int64_t> quota = {};
  std::optional<uint64_t> burst = {};
  std::optional<uint64_t> period = {};
  std::optional<int64_t> realtime_runtime = {};
  std::optional<uint64_t> realtime_period = {};
  std::string cpus = {};
  std::string mems = {};
  std::optional<int64_t> idle = {};
  bool operator==(const CpuResources&) const = default;
};

// The share of one disk, 10 to 1000.
struct WeightDevice {
  int64_t major = 0;
  int64_t minor = 0;
  std::optional<uint16_t> weight = {};
  std::optional<uint16_t> leaf_weight = {};
  bool operator==(const WeightDevice&) const = default;
};

// Bytes or operations per second of one disk.
struct ThrottleDevice {
  int64_t major = 0;
  int64_t minor = 0;
  uint64_t rate = 0;
  bool operator==(const ThrottleDevice&) const = default;
};

// "blockIO".
struct BlockIoResources {
  std::optional<uint16_t> weight = {};
  std::optional<uint16_t> leaf_weight = {};
  std::vector<WeightDevice> weight_device = {};
  std::vector<ThrottleDevice> throttle_read_bps = {};
  std::vector<ThrottleDevice> throttle_write_bps = {};
  std::vector<ThrottleDevice> throttle_read_iops = {};
  std::vector<ThrottleDevice> throttle_write_iops = {};
  bool operator==(const BlockIoResources&) const = default;
};

// One of "hugepageLimits"; bytes of one size of pages ("2MB").
struct HugepageLimit {
  std::string page_size = {};
  uint64_t limit = 0;
  bool operator==(const HugepageLimit&) const = default;
};

// What a network device sends first (v1).
struct NetworkPriority {
  std::string name = {};
  uint32_t priority = 0;
  bool operator==(const NetworkPriority&) const = default;
};

// "network" (v1).
struct NetworkResources {
  std::optional<uint32_t> class_id = {};
  std::vector<NetworkPriority> priorities = {};
  bool operator==(const NetworkResources&) const = default;
};

// One of "rdma".
struct RdmaLimit {
  std::string device = {};
  std::optional<uint32_t> hca_handles = {};
  std::optional<uint32_t> hca_objects = {};
  bool operator==(const RdmaLimit&) const = default;
};

// All of it. unified holds files of cgroup v2 and their texts.
struct Resources {
  std::vector<DeviceRule> devices = {};
  std::optional<MemoryResources> memory = {};
  std::optional<CpuResources> cpu = {};
  std::optional<int64_t> pids_limit = {};
  std::optional<BlockIoResources> block_io = {};
  std::vector<HugepageLimit> hugepage_limits = {};
  std::optional<NetworkResources> network = {};
  std::vector<RdmaLimit> rdma = {};
  StringMap unified = {};
  bool operator==(const Resources&) const = default;
};

// The resources object as JSON text. Fails with InvalidConfig and the pointer.
Result<Resources> parse_resources(std::string_view json);

}  // namespace berth
