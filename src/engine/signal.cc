// SPDX-License-Identifier: Apache-2.0
#include <sched.h>
#include <signal.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/attach_network.h"
#include "engine/container_inner.h"
#include "os/process.h"

namespace berth {
namespace {

using engine::Snapshot;
using engine::StateDir;

// An ordinary user's container may have no cgroup: that nothing is found there is no answer then.
Result<std::vector<pid_t>> processes_of(const StateDir& directory,
                                        const cgroup::CgroupManager& cgroup) {
  std::vector<pid_t> found = TRY(cgroup.processes());
  if (!found.empty()) return found;
  const Snapshot snapshot = TRY(engine::look(directory));
  if (snapshot.status == Status::Running || snapshot.status == Status::Created) {
    return fail(ErrorKind::Unsupported,
                "container {} has no cgroup of its own, so that only its first process is known: "
                "give the user a cgroup, which cgroup v2 can delegate",
                snapshot.record.id);
  }
  return found;
}

}  // namespace

Result<> Container::signal(int signal_number, SignalScope scope) {
  const StateDir directory = TRY(inner_->open());
  const engine::Record record = TRY(directory.read_without_annotations()).record;
  // Without a pid namespace of its own, the end of init does not end the others.
  const bool shares_pids = (record.namespaces & CLONE_NEWPID) == 0;
  const bool all = scope == SignalScope::All || (signal_number == SIGKILL && shares_pids);
  const Result<os::UniqueFd> init = engine::open_init(record);
  if (!init && !all)
    return std::unexpected(
        Error(ErrorKind::WrongState, formatted("container not running: {}", record.id)));
  if (all) {
    const auto cgroup = TRY(engine::open_cgroup(record));
    const bool empty = TRY(cgroup->processes()).empty();
    if (!init && empty && scope == SignalScope::All) return {};
    if (!init && empty) return fail(ErrorKind::WrongState, "container not running: {}", record.id);
    if (empty && signal_number != SIGKILL) TRY(processes_of(directory, *cgroup));
    TRY(cgroup->kill_all(signal_number));
    if (!init) return {};
  }
  if (!all || signal_number == SIGKILL) {
    Result<> sent = os::send_signal(init->get(), signal_number);
    if (!sent && !all) return sent;
  }
  // A killed process that is frozen (v1) ends only when it is thawed.
  if (signal_number == SIGKILL) {
    const auto cgroup = TRY(engine::open_cgroup(record));
    const Result<cgroup::Freezer> state = cgroup->freezer();
    if (state && *state == cgroup::Freezer::Frozen) TRY(cgroup->set(cgroup::Freezer::Thawed));
  }
  return {};
}

Result<> Container::pause() {
  const StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  const Snapshot snapshot = TRY(engine::look(directory));
  if (snapshot.status != Status::Running && snapshot.status != Status::Created) {
    return fail(ErrorKind::WrongState, "container not running: it is {}",
                to_string(snapshot.status));
  }
  return TRY(engine::open_cgroup(snapshot.record))->set(cgroup::Freezer::Frozen) |
         context("pause container {}", id());
}

Result<> Container::resume() {
  const StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  const Snapshot snapshot = TRY(engine::look(directory));
  if (snapshot.status != Status::Paused) return fail(ErrorKind::WrongState, "container not paused");
  return TRY(engine::open_cgroup(snapshot.record))->set(cgroup::Freezer::Thawed) |
         context("resume container {}", id());
}

Result<std::vector<pid_t>> Container::processes() const {
  const StateDir directory = TRY(inner_->open());
  const engine::Record record = TRY(directory.read_without_annotations()).record;
  return processes_of(directory, *TRY(engine::open_cgroup(record)));
}

Result<Stats> Container::stats() const {
  const StateDir directory = TRY(inner_->open());
  const Snapshot snapshot = TRY(engine::look(directory));
  if (snapshot.status == Status::Stopped)
    return fail(ErrorKind::WrongState, "container {} is not running", id());
  Stats stats = TRY(TRY(engine::open_cgroup(snapshot.record))->stats());
  stats.rdt = cgroup::class_stats(snapshot.record.rdt);
  stats.interfaces = engine::count_interfaces(snapshot.record);
  return stats;
}

}  // namespace berth
