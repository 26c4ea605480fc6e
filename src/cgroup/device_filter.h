// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/bpf.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "berth/error.h"
#include "cgroup/directory.h"
#include "plan/plan.h"

namespace berth::cgroup {

inline constexpr unsigned kAllAccess =
    BPF_DEVCG_ACC_MKNOD | BPF_DEVCG_ACC_READ | BPF_DEVCG_ACC_WRITE;

// What a device cgroup holds after rules in order: a default, and the exceptions from it.
struct DevicePolicy {
  struct Exception {
    char type = 'c';
    int64_t major = -1;  // -1: all
    int64_t minor = -1;
    unsigned access = 0;  // BPF_DEVCG_ACC_*
    bool same_device(const Exception& other) const {
      return type == other.type && major == other.major && minor == other.minor;
    }
    bool operator==(const Exception&) const = default;
  };
  bool default_allow = false;
  std::vector<Exception> exceptions = {};
};

// Unsupported when a rule would have to punch a hole into a wildcard: no kernel interface of v1 can
// say that, and both versions are to mean the same.
Result<DevicePolicy> device_policy(std::span<const plan::DeviceRulePlan> rules);
// The same from devices.list of v1.
Result<DevicePolicy> parse_devices_list(std::string_view text);

// "a", or "c 1:3 rwm".
std::string device_line(const DevicePolicy::Exception& exception);
struct DeviceWrite {
  bool allow = false;
  std::string line = {};
};
// The fewest writes from one policy to the other; a running process never loses what it keeps.
std::vector<DeviceWrite> device_transition(const DevicePolicy& from, const DevicePolicy& to);

std::vector<bpf_insn> device_program(const DevicePolicy& policy);

Result<> apply_devices_v1(const Directory& directory, const DevicePolicy& policy);
// `fresh`: nothing can be attached yet, which saves asking. A program that was attached before is
// replaced.
Result<> apply_devices_v2(const Directory& directory, const DevicePolicy& policy, bool fresh);

}  // namespace berth::cgroup
