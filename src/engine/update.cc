// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>

#include "berth/try.h"
#include "core/context.h"
#include "engine/change_processes.h"
#include "engine/container_inner.h"
#include "engine/transaction.h"
#include "os/process.h"
#include "plan/make_plan.h"
#include "spec/merge.h"
#include "spec/read_spec.h"

namespace berth {
namespace {

using engine::Record;

// What the steps share. Each says to `transaction` how it is undone, before what is not done in one
// piece.
struct Updating {
  const Update& changes;
  const engine::StateDir& directory;
  const engine::Snapshot& snapshot;
  cgroup::CgroupManager& cgroup;
  spec::Spec config;  // before
  std::vector<std::string> warnings = {};
  engine::Transaction transaction = {};

  const Record& record() const { return snapshot.record; }
  bool v2() const { return !record().cgroups.empty() && record().cgroups.front().is_v2; }
};

// ---- limits ----

// Everything at or above this is no limit: cgroup v1 says so in pages.
constexpr int64_t kNoLimit = int64_t{1} << 62;

int64_t number_or_unlimited(std::string_view text) {
  int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value >= kNoLimit) return -1;
  return value;
}

// memory and memory+swap are limited as a pair: the half that is not asked for is what is in force.
// v2 has no file for the sum, so there it is what was asked for before.
Result<> complete_memory(const Updating& update, MemoryResources& memory) {
  if (memory.swap.value_or(0) != 0 && memory.limit.value_or(0) == 0) {
    const char* file = update.v2() ? "memory.max" : "memory.limit_in_bytes";
    memory.limit = number_or_unlimited(TRY(update.cgroup.read("memory", file)));
  }
  const std::optional<Resources>& before = update.config.platform.resources;
  const bool limits = memory.limit.value_or(0) > 0 && memory.swap.value_or(0) == 0;
  if (update.v2() && limits && before && before->memory && before->memory->swap.value_or(0) > 0)
    memory.swap = before->memory->swap;
  return {};
}

// So are quota and period, where one file holds both.
Result<> complete_cpu(const Updating& update, CpuResources& cpu) {
  if (!update.v2() || cpu.period.value_or(0) == 0 || cpu.quota.value_or(0) != 0) return {};
  cpu.quota = number_or_unlimited(TRY(update.cgroup.read("cpu", "cpu.max")));
  return {};
}

// Only what differs: what was not reached, as a device that is not there, is not written again.
// systemd may have been told a value that it has not written yet, so it is told all of the old
// ones.
Result<> put_back(const Updating& update, std::vector<plan::CgroupWrite> saved) {
  const bool tells = update.record().cgroup_driver == plan::CgroupDriver::Systemd;
  const std::vector<plan::CgroupWrite> now = TRY(update.cgroup.save(saved));
  std::erase_if(saved, [&](const plan::CgroupWrite& old) {
    const bool of_device = old.value.contains(':');
    return (of_device || !tells) && std::ranges::any_of(now, [&old](const auto& other) {
             return other.file == old.file && other.value == old.value;
           });
  });
  return update.cgroup.apply(saved);
}

Result<> change_limits(Updating& update) {
  Resources complete = update.changes.resources;
  if (complete.memory) TRY(complete_memory(update, *complete.memory));
  if (complete.cpu) TRY(complete_cpu(update, *complete.cpu));
  const std::vector<plan::CgroupWrite> writes =
      TRY(plan::plan_update_writes(complete, update.v2(), update.changes.force, update.warnings));
  if (writes.empty()) return {};
  update.transaction.on_failure([&update, saved = TRY(update.cgroup.save(writes))]() mutable {
    return put_back(update, std::move(saved));
  });
  return update.cgroup.apply(writes);
}

// ---- devices ----

// Engines send back the rules that they gave at first. Those do not count: what others have allowed
// since (a driver's hook) is to stay.
Result<> change_devices(Updating& update) {
  const std::vector<DeviceRule>& wanted = update.changes.resources.devices;
  const std::optional<Resources>& before = update.config.platform.resources;
  if (wanted.empty() || (before && before->devices == wanted)) return {};
  if (update.record().tolerate_denied) {
    update.warnings.emplace_back(
        "/linux/resources/devices is ignored: a container of an ordinary user has no rules for "
        "devices");
    return {};
  }
  spec::Spec after = update.config;
  spec::merge(update.changes, after);
  update.transaction.on_failure(
      [&cgroup = update.cgroup, rules = plan::plan_device_rules(update.config)] {
        return cgroup.apply_devices(rules);
      });
  return update.cgroup.apply_devices(plan::plan_device_rules(after)) |
         at("/linux/resources/devices");
}

// ---- resctrl ----

Result<> change_class(Updating& update) {
  const spec::IntelRdt wanted = {.l3_cache_schema = update.changes.l3_cache_schema,
                                 .mem_bw_schema = update.changes.mem_bw_schema};
  const std::string schemata = plan::schemata_of(wanted);
  if (schemata.empty()) return {};
  constexpr std::string_view kPointer = "/linux/intelRdt";
  const cgroup::RdtPlaces& places = update.record().rdt;
  if (places.tasks.empty()) {
    return Result<>(
               fail(ErrorKind::WrongState,
                    "the container has no class of resctrl: it was created without intelRdt")) |
           at(kPointer);
  }
  const std::string& place = places.tasks.front();
  if (std::ranges::find(places.removed, place) == places.removed.end()) {
    return Result<>(fail(ErrorKind::WrongState,
                         "class {} is not the container's own: write its schemata to change all "
                         "that are in it",
                         place)) |
           at(kPointer);
  }
  std::string old = TRY(cgroup::change_class(place, schemata) | at(kPointer));
  update.transaction.on_failure([place, old = std::move(old)]() -> Result<> {
    TRY(cgroup::change_class(place, old));
    return {};
  });
  return {};
}

// ---- the record ----

Result<> change_record(Updating& update) {
  spec::Spec after = update.config;
  spec::merge(update.changes, after);
  if (after == update.config) return {};
  TRY(update.directory.replace(update.record(), spec::write_spec(after, 0)));
  update.transaction.on_failure(
      [&update] { return update.directory.replace(update.record(), update.snapshot.config); });
  return {};
}

// ---- processes ----

// Those of the cgroup, and the first one, which may be without.
Result<std::vector<pid_t>> members_of(const cgroup::CgroupManager& cgroup, const Record& record) {
  std::vector<pid_t> members = TRY(cgroup.processes());
  const bool is_among = std::ranges::find(members, record.pid) != members.end();
  if (!is_among && os::start_time(record.pid) == record.start_time) members.push_back(record.pid);
  return members;
}

Result<> change_processes(Updating& update) {
  if (update.changes.process == ProcessAttributes{}) return {};
  auto change = std::make_shared<engine::ProcessChange>(
      TRY(plan::plan_attributes(update.changes.process)),
      [&cgroup = update.cgroup, &record = update.record()] { return members_of(cgroup, record); });
  update.transaction.on_failure([change] { return change->undo(); });
  return change->apply();
}

// A cpuset comes before the CPUs of its processes. Processes come last: not everybody may take back
// what they were given.
constexpr Result<> (*kSteps[])(Updating&) = {
    change_limits, change_class, change_devices, change_record, change_processes,
};

Result<> run_steps(Updating& update) {
  for (const auto step : kSteps) {
    if (Result<> done = step(update); !done)
      return update.transaction.roll_back(std::move(done).error());
  }
  return {};
}

}  // namespace

Result<> Container::update(const Update& changes) {
  TRY(spec::validate_resources(changes.resources, "/linux/resources"));
  const engine::StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  const engine::Snapshot snapshot = TRY(engine::look(directory));
  if (snapshot.status == Status::Stopped) {
    return fail(ErrorKind::WrongState, "container not running: {}", id());
  }
  const auto cgroup = TRY(engine::open_cgroup(snapshot.record));
  Updating update{.changes = changes,
                  .directory = directory,
                  .snapshot = snapshot,
                  .cgroup = *cgroup,
                  .config = TRY(spec::read_spec(snapshot.config))};
  Result<> done = run_steps(update);
  inner_->warn(update.warnings);
  if (!done) done.error().set_place("update");
  return done;
}

}  // namespace berth
