// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "berth/resources.h"

namespace [[gnu::visibility("default")]] berth {

// Members of the process object of config.json (config.md, "Process"), with its names and units.

// One of "rlimits".
struct Rlimit {
  std::string type = {};  // "RLIMIT_NOFILE"
  uint64_t soft = 0;      // UINT64_MAX: no limit
  uint64_t hard = 0;
  bool operator==(const Rlimit&) const = default;
};

// "scheduler": sched_setattr(2).
struct Scheduler {
  std::string policy = {};  // "SCHED_OTHER"
  int32_t nice = 0;         // SCHED_OTHER, SCHED_BATCH: -20 to 19
  int32_t priority = 0;     // SCHED_FIFO, SCHED_RR: 1 to 99
  std::vector<std::string> flags = {};
  uint64_t runtime = 0;  // SCHED_DEADLINE: nanoseconds
  uint64_t deadline = 0;
  uint64_t period = 0;
  bool operator==(const Scheduler&) const = default;
};

// "ioPriority": ioprio_set(2).
struct IoPriority {
  std::string io_class = {};  // "IOPRIO_CLASS_BE"
  int32_t priority = 0;       // 0 (first) to 7
  bool operator==(const IoPriority&) const = default;
};

// What the kernel holds of processes and not of cgroups. What is not set is not touched.
struct ProcessAttributes {
  std::optional<int32_t> oom_score_adj = {};  // -1000 to 1000
  std::vector<Rlimit> rlimits = {};
  std::optional<Scheduler> scheduler = {};
  std::optional<IoPriority> io_priority = {};
  std::string cpu_affinity = {};  // "0-3,7"; empty: as it is
  bool operator==(const ProcessAttributes&) const = default;
};

// An object with the members "oomScoreAdj", "rlimits", "scheduler", "ioPriority" of "process" in
// config.json, and "cpuAffinity". InvalidConfig names the place of what is wrong.
Result<ProcessAttributes> parse_process_attributes(std::string_view json);

// What Container::update changes. What is not set stays as it is.
struct Update {
  Resources resources = {};
  // Lines of resctrl's schemata ("L3:0=ff", "MB:0=50"), for a container with a class of its own.
  std::string l3_cache_schema = {};
  std::string mem_bw_schema = {};
  // Of every process and thread that the container has, and of those that exec adds later.
  ProcessAttributes process = {};
  // Also a memory limit below what is in use and cannot be reclaimed: the kernel then kills
  // processes of the container (cgroup v2).
  bool force = false;
};

}  // namespace berth
