// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "plan/make_plan.h"

namespace berth {
namespace {

// Everything at or above this is no limit: cgroup v1 says so in pages.
constexpr int64_t kNoLimit = int64_t{1} << 62;

int64_t number_or_unlimited(std::string_view text) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value >= kNoLimit) return -1;
  return value;
}

// memory and memory+swap are limited as a pair: the half that is not asked for is what is in force.
Result<> complete_memory(const cgroup::CgroupManager& cgroup, bool v2, MemoryResources& memory) {
  if (!memory.swap || memory.limit) return {};
  const char* file = v2 ? "memory.max" : "memory.limit_in_bytes";
  memory.limit = number_or_unlimited(TRY(cgroup.read("memory", file)));
  return {};
}

// So are quota and period, where one file holds both.
Result<> complete_cpu(const cgroup::CgroupManager& cgroup, bool v2, CpuResources& cpu) {
  if (!v2 || !cpu.period || cpu.quota) return {};
  cpu.quota = number_or_unlimited(TRY(cgroup.read("cpu", "cpu.max")));
  return {};
}

}  // namespace

Result<> Container::update(const Resources& resources) {
  const engine::StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  const engine::Snapshot snapshot = TRY(engine::look(directory));
  if (snapshot.status == Status::Stopped) {
    return fail(ErrorKind::WrongState, "container not running: {}", id());
  }
  const engine::Record& record = snapshot.record;
  const bool v2 = !record.cgroups.empty() && record.cgroups.front().is_v2;
  const auto cgroup = TRY(engine::open_cgroup(record));
  Resources complete = resources;
  if (complete.memory) TRY(complete_memory(*cgroup, v2, *complete.memory));
  if (complete.cpu) TRY(complete_cpu(*cgroup, v2, *complete.cpu));
  std::vector<std::string> warnings;
  const auto writes =
      TRY(v2 ? plan::plan_cgroup_v2(complete, warnings) : plan::plan_cgroup_v1(complete, warnings));
  inner_->warn(warnings);
  return cgroup->apply(writes);
}

}  // namespace berth
