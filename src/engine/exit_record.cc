// SPDX-License-Identifier: Apache-2.0
#include "engine/exit_record.h"

#include "berth/try.h"
#include "cgroup/oom.h"
#include "core/context.h"
#include "engine/clock.h"
#include "os/process.h"

namespace berth::engine {
namespace {

void add_usage(const Record& record, ExitRecord& end) {
  const auto cgroup = open_cgroup(record);
  const Result<Stats> stats =
      cgroup ? (*cgroup)->stats() : Result<Stats>(fail(ErrorKind::NotFound, "no cgroup"));
  if (!stats) return;
  // A kernel that counts no peak says 0, which no container has had.
  if (stats->memory && stats->memory->usage.max > 0)
    end.memory_peak_bytes = stats->memory->usage.max;
  if (stats->cpu.total_ns > 0) end.cpu_ns = stats->cpu.total_ns;
  if (stats->pids) end.pids_peak = stats->pids->peak;
}

void add_kills(const Record& record, ExitRecord& end) {
  const plan::CgroupPlace* memory = cgroup::memory_place(record.cgroups);
  const auto counts = memory ? cgroup::count_oom(*memory) : cgroup::OomCounts();
  end.counted =
      counts && !counts->levels.empty() && counts->levels.front().place == OomLimit::Container;
  if (counts && counts->kills > 0)
    end.oom = cgroup::attribute_oom(nullptr, *counts, {}, memory->path);
}

std::string started_text(const Record& record) {
  return record.started > 0 ? utc_text(record.started) : std::string();
}

// The kernel still knows how it ended while nobody has reaped it.
std::optional<ExitStatus> ask_zombie(const Record& record) {
  if (record.boot_id != boot_id()) return std::nullopt;
  const auto status = os::status_of_zombie(record.pid, record.start_time);
  if (!status) return std::nullopt;
  return ExitStatus{.code = status->code, .signal = status->signal};
}

}  // namespace

ExitRecord measure_end(const Record& record) {
  ExitRecord end{.id = record.id, .created = record.created, .started = started_text(record)};
  add_usage(record, end);
  add_kills(record, end);
  return end;
}

Result<std::optional<ExitRecord>> read_exit(const StateDir& directory) {
  const std::string text = TRY(directory.read_exit());
  return text.empty() ? std::nullopt : parse_exit(text);
}

Result<ExitRecord> keep_exit(const StateDir& directory, ExitRecord record) {
  Result<> locked = directory.lock();
  if (!locked && locked.error().kind() == ErrorKind::NotFound) return record;
  TRY(std::move(locked));
  std::optional<ExitRecord> kept = TRY(read_exit(directory));
  if (kept && (kept->exit || !record.exit)) {
    directory.unlock();
    return *std::move(kept);
  }
  // `start` may have been on its way out when this began.
  if (const auto saved = directory.read()) record.started = started_text(saved->record);
  Result<> written = directory.write_exit(record.to_json() + "\n");
  directory.unlock();
  TRY(std::move(written));
  return record;
}

Result<ExitRecord> recall_exit(const StateDir& directory, const Snapshot& snapshot) {
  const Record& record = snapshot.record;
  if (snapshot.status != Status::Stopped) {
    return fail(ErrorKind::WrongState, "container {} has not ended: it is {}", record.id,
                to_string(snapshot.status));
  }
  if (record.pid == 0)
    return fail(ErrorKind::WrongState, "container {} was never made: delete it", record.id);
  std::optional<ExitRecord> kept = TRY(read_exit(directory));
  if (kept && kept->exit) return *std::move(kept);
  ExitRecord end = kept ? *std::move(kept) : measure_end(record);
  end.exit = ask_zombie(record);
  if (end.exit) return keep_exit(directory, std::move(end));
  // A parent that records the end does so before it reaps.
  kept = TRY(read_exit(directory));
  return kept && kept->exit ? *std::move(kept) : std::move(end);
}

}  // namespace berth::engine

namespace berth {

Result<ExitRecord> Container::exit_record() const {
  const engine::StateDir directory = TRY(inner_->open());
  return engine::recall_exit(directory, TRY(engine::look(directory)));
}

Result<ExitRecord> Container::record_exit(ExitStatus status) {
  const engine::StateDir directory = TRY(inner_->open());
  ExitRecord end = engine::measure_end(TRY(directory.read()).record);
  end.exit = status;
  end.finished = engine::utc_text(engine::now_ns());
  return engine::keep_exit(directory, std::move(end));
}

}  // namespace berth
