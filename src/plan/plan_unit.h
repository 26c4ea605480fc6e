// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "plan/make_plan.h"
#include "plan/plan.h"

namespace berth::plan {

// The unit that cgroupsPath names as "slice:prefix:name", and what annotations add to it.
Result<UnitPlan> plan_unit(const spec::Spec& spec, const HostFacts& facts, const Request& request);

// Where systemd puts the unit's cgroup: "/machine.slice/machine-a.slice/berth-ID.scope".
std::string path_of_unit(const UnitPlan& unit, std::string_view root);

// CPU time in each period, microseconds.
struct CpuQuota {
  static constexpr uint64_t kNone = UINT64_MAX;
  uint64_t quota = kNone;
  uint64_t period = 100000;  // the kernel's default
};

// What systemd has properties for among the writes: it must know them, or it takes them back when
// it looks at the unit again. `version` is systemd's. `now` is the other half of a quota or a
// period that is written alone.
std::vector<UnitProperty> unit_properties(std::span<const CgroupWrite> writes, int version,
                                          const CpuQuota& now);
// As cpu.max of v2 says it: "50000 100000", "max 100000". A half that is not said stays.
CpuQuota read_cpu_max(std::string_view text, CpuQuota quota);

// The text of `org.systemd.property.NAME`: a value in GVariant's text format, as busctl and runc
// take it.
Result<BusValue> parse_bus_value(std::string_view text);

}  // namespace berth::plan
