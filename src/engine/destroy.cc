// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <signal.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "engine/attach_network.h"
#include "engine/container_inner.h"
#include "engine/create_plan.h"
#include "engine/gather_facts.h"
#include "os/process.h"
#include "plan/make_plan.h"
#include "spec/read_spec.h"

namespace berth {
namespace {

using engine::Snapshot;
using engine::StateDir;

constexpr int kKillTimeoutMs = 10'000;

Result<> kill_init(const Snapshot& snapshot, cgroup::CgroupManager& cgroup) {
  const engine::Record& record = snapshot.record;
  if (!snapshot.init) return {};
  (void)os::send_signal(snapshot.init.get(), SIGKILL);
  if (TRY(os::wait_exit(snapshot.init.get(), 0))) return {};
  // Frozen processes of cgroup v1 die when they are thawed.
  const Result<cgroup::Freezer> state = cgroup.freezer();
  if (state && *state == cgroup::Freezer::Frozen) TRY(cgroup.set(cgroup::Freezer::Thawed));
  if (TRY(os::wait_exit(snapshot.init.get(), kKillTimeoutMs))) return {};
  return fail(ErrorKind::System, "process {} of container {} does not end after SIGKILL",
              record.pid, record.id);
}

Result<> check_deletable(const Snapshot& snapshot, bool force) {
  if (force || snapshot.status == Status::Stopped || snapshot.status == Status::Created) return {};
  return fail(ErrorKind::WrongState, "cannot delete container {} that is not stopped: {}",
              snapshot.record.id, to_string(snapshot.status));
}

// Restartable at any line: the record goes last, and whatever is gone already is no error.
Result<> tear_down(const StateDir& directory, Snapshot& snapshot,
                   const std::function<void(const std::string&)>& on_warning) {
  const engine::Record& record = snapshot.record;
  auto cgroup = std::move(snapshot.cgroup);
  if (!cgroup) cgroup = TRY(engine::open_cgroup(record));
  const os::UniqueFd network = TRY(engine::hold_network(record, *cgroup));
  TRY(kill_init(snapshot, *cgroup));
  const bool empty = snapshot.status == Status::Stopped && cgroup->remove_empty();
  if (!empty) TRY(cgroup->kill_all(SIGKILL) | context("end the container's processes"));
  TRY(engine::give_network_back(record, directory.path(), network));
  TRY(cgroup::remove_class(record.rdt));
  if (!empty) TRY(cgroup->destroy() | context("remove the container's cgroup"));
  TRY(directory.remove());
  directory.unlock();  // who waits for it learns now that it is gone
  engine::run_poststop(record, snapshot.config, on_warning);
  return {};
}

// A path that names a unit of systemd has two colons.
plan::CgroupDriver driver_for(const Result<spec::Spec>& spec) {
  const bool names_unit = spec && std::ranges::count(spec->platform.cgroups_path, ':') == 2;
  return names_unit ? plan::CgroupDriver::Systemd : plan::CgroupDriver::Filesystem;
}

// The record can not be read, but its cgroups can be planned again: from the config behind it, or,
// when that is lost too, as for a config that names none.
Result<> remove_damaged(const StateDir& directory, const std::string& id) {
  const Result<std::string> config = directory.read_config();
  const Result<spec::Spec> spec = spec::read_spec(config ? *config : std::string());
  plan::HostFacts facts = TRY(engine::gather_facts());
  std::vector<std::string> warnings;
  plan::Request request = {.id = id, .cgroup_driver = driver_for(spec)};
  std::optional<cgroup::Systemd> systemd;
  if (request.cgroup_driver == plan::CgroupDriver::Systemd) systemd = TRY(engine::open_systemd(facts));
  plan::CgroupPlan plan =
      TRY(plan::plan_cgroup(spec ? *spec : spec::Spec{}, facts, request, warnings));
  plan.tolerate_denied = true;
  const auto cgroup = TRY(cgroup::make_manager(plan, std::move(systemd)));
  TRY(cgroup->kill_all(SIGKILL) | context("end the container's processes"));
  TRY(cgroup->destroy() | context("remove the container's cgroup"));
  return directory.remove();
}

}  // namespace

// A pid in use may be another's by now: then the record says when the container's began.
Result<Snapshot> Container::Inner::look_at_end(const StateDir& directory) {
  std::optional<Snapshot> known = std::exchange(made, std::nullopt);
  if (known) {
    const Result<os::UniqueFd> init = os::open_pidfd(known->record.pid);
    if (!init && init.error().kind() == ErrorKind::NotFound) return std::move(*known);
  }
  return engine::look(directory, true);
}

Result<> Container::destroy(bool force) {
  const StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  Result<Snapshot> snapshot = inner_->look_at_end(directory);
  // What a newer berth has made may be more than this one could find again.
  const bool newer = !snapshot && snapshot.error().kind() == ErrorKind::Unsupported;
  if (!snapshot && force && !newer) return remove_damaged(directory, id());
  if (!snapshot) return std::unexpected(std::move(snapshot).error());
  TRY(check_deletable(*snapshot, force));
  return tear_down(directory, *snapshot, inner_->on_warning);
}

}  // namespace berth
