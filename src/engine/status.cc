// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "json/write.h"
#include "os/process.h"

namespace berth {

std::string_view to_string(Status status) {
  switch (status) {
    case Status::Creating: return "creating";
    case Status::Created: return "created";
    case Status::Running: return "running";
    case Status::Paused: return "paused";
    case Status::Stopped: return "stopped";
  }
  return "stopped";
}

std::string ContainerState::to_json(int indent) const {
  json::Writer writer(indent);
  spec::write_state(writer, engine::to_spec(*this));
  return writer.take();
}

}  // namespace berth

namespace berth::engine {

spec::State to_spec(const ContainerState& state) {
  return {.oci_version = state.oci_version,
          .id = state.id,
          .pid = state.pid,
          .status = std::string(to_string(state.status)),
          .bundle = state.bundle,
          .rootfs = state.rootfs,
          .created = state.created,
          .annotations = state.annotations,
          .owner = state.owner};
}

std::string hook_state(const ContainerState& state) {
  return spec::hook_state_json(to_spec(state));
}

namespace {

// What the kernel knows of the record's process; nullopt: it has ended.
std::optional<os::ProcessStat> find_process(const Record& record) {
  const std::optional<os::ProcessStat> stat =
      record.pid == 0 ? std::nullopt : os::stat_of(record.pid);
  if (!stat || stat->ended || stat->start_time != record.start_time) return {};
  return record.boot_id == boot_id() ? stat : std::nullopt;
}

bool is_frozen(const cgroup::CgroupManager& cgroup) {
  const auto state = cgroup.freezer();
  return state && *state == cgroup::Freezer::Frozen;
}

Status status_of(const StateDir& directory, const os::ProcessStat& process,
                 const cgroup::CgroupManager* cgroup) {
  if (cgroup != nullptr && is_frozen(*cgroup)) return Status::Paused;
  if (process.executed) return Status::Running;
  // Without a gate (run) nobody may enter yet: init is still this program (plan/exposure.cc).
  return directory.has_gate() ? Status::Created : Status::Creating;
}

}  // namespace

Result<Snapshot> look(const StateDir& directory, bool hold_init) {
  SavedState saved = TRY(directory.read());
  Snapshot snapshot{.record = std::move(saved.record), .config = std::move(saved.config)};
  const Record& record = snapshot.record;
  if (record.pid == 0) {
    // An intent: being made while somebody holds the lock, else left by a create that was killed.
    const bool locked = TRY(directory.is_locked());
    snapshot.status = locked ? Status::Creating : Status::Stopped;
    return snapshot;
  }
  // Held first, looked at then: a pid that is used again in between is found out.
  if (hold_init) {
    if (Result<os::UniqueFd> init = os::open_pidfd(record.pid)) snapshot.init = std::move(*init);
  }
  const std::optional<os::ProcessStat> process = find_process(record);
  if (!process || (hold_init && !snapshot.init)) {
    snapshot.init.reset();
    return snapshot;
  }
  if (auto cgroup = open_cgroup(record)) snapshot.cgroup = std::move(*cgroup);
  snapshot.status = status_of(directory, *process, snapshot.cgroup.get());
  return snapshot;
}

bool is_alive(const Record& record) { return find_process(record).has_value(); }

Result<std::unique_ptr<cgroup::CgroupManager>> open_cgroup(const Record& record) {
  return cgroup::make_manager({.driver = record.cgroup_driver,
                               .unit = {.name = record.unit, .of_user = record.unit_of_user},
                               .places = record.cgroups,
                               .tolerate_denied = record.tolerate_denied});
}

Result<os::UniqueFd> open_init(const Record& record) {
  const auto gone = [&] {
    return fail(ErrorKind::WrongState, "container not running: {}", record.id);
  };
  if (record.pid == 0) return gone();
  Result<os::UniqueFd> pidfd = os::open_pidfd(record.pid);
  // The start time is read after the descriptor was opened: a pid that was reused in between is
  // found out.
  if (!pidfd || !find_process(record)) return gone();
  return pidfd;
}

}  // namespace berth::engine
