// SPDX-License-Identifier: Apache-2.0
// A cgroup that belongs to a unit of systemd: systemd makes the cgroup and is told the limits that
// it has words for; all else is done by the manager of v1 or v2, in the same directories.
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "berth/try.h"
#include "cgroup/systemd_bus.h"
#include "cgroup/waiting.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/process.h"
#include "plan/plan_unit.h"

namespace berth::cgroup {
namespace {

using plan::UnitProperty;

bool is_guarded(const plan::CgroupWrite& write) {
  return write.make_room || !write.not_below.empty();
}

class SystemdManager final : public CgroupManager {
 public:
  SystemdManager(std::unique_ptr<CgroupManager> inner, plan::UnitPlan unit, bool is_v2,
                 std::optional<Systemd> systemd)
      : inner_(std::move(inner)),
        unit_(std::move(unit)),
        is_v2_(is_v2),
        systemd_(std::move(systemd)) {}

  Result<> create(std::span<const plan::CgroupWrite> writes) override {
    Result<> made = start_unit(beside_holder(writes));
    if (made) made = inner_->adopt(writes);
    told_systemd_ = made.has_value();
    if (!made) give_up();
    return made;
  }
  Result<> adopt(std::span<const plan::CgroupWrite> writes) override {
    return inner_->adopt(writes);
  }
  Result<> first_is_in() override {
    holder_.kill_and_reap();
    if (late_.empty()) return {};
    TRY(tell_systemd(late_));
    return inner_->apply(std::exchange(late_, {}));
  }

  // A user may not move processes out of a session, but the user's systemd has somebody who may.
  Result<> add(pid_t process) override {
    Result<> added = inner_->add(process);
    if (added || !is_denied(added.error())) return added;
    return TRY(systemd())->attach(unit_.name, sub_path_, process);
  }
  bool can_attach() const override { return unit_.of_user; }

  Result<> apply(std::span<const plan::CgroupWrite> writes) override {
    if (std::exchange(told_systemd_, false)) return inner_->apply(beside_holder(writes));
    // systemd does not ask whether a limit is below the usage.
    if (std::ranges::any_of(writes, is_guarded)) TRY(inner_->apply(writes));
    TRY(tell_systemd(writes));
    return inner_->apply(writes);
  }
  Result<std::vector<plan::CgroupWrite>> save(std::span<const plan::CgroupWrite> writes) override {
    return inner_->save(writes);
  }

  // systemd's own record of the unit must go, too: a directory that is empty is not enough.
  bool remove_empty() override { return false; }
  Result<> destroy() override {
    holder_.kill_and_reap();
    Result<> stopped = stop_unit();
    if (!stopped) {
      systemd_.reset();  // the connection may be what failed
      stopped = stop_unit();
    }
    // systemd ends an empty scope by itself and removes its cgroup. It does not see that a scope is
    // empty whose cgroup somebody else has removed.
    if (!stopped && is_v2_) return {};
    return inner_->destroy();
  }

  int clone_target() const override { return inner_->clone_target(); }
  std::span<const int> task_files() const override { return inner_->task_files(); }
  Result<> open_procs() override { return inner_->open_procs(); }
  Result<> open_tasks(std::span<const plan::SubCgroup> places) override {
    // A user's systemd, which is who moves, has v2 only: there is one path at most.
    if (!places.empty() && !places.front().path.empty()) sub_path_ = "/" + places.front().path;
    return inner_->open_tasks(places);
  }
  Result<bool> follow(std::string_view membership) override { return inner_->follow(membership); }
  Error entry_error(int error) const override { return inner_->entry_error(error); }
  Result<std::string> read(std::string_view controller, const char* file) const override {
    return inner_->read(controller, file);
  }
  Result<> apply_devices(std::span<const plan::DeviceRulePlan> rules) override {
    return inner_->apply_devices(rules);
  }
  Result<> delegate(uid_t owner) override { return inner_->delegate(owner); }
  Result<> set(Freezer state) override { return inner_->set(state); }
  Result<Freezer> freezer() const override { return inner_->freezer(); }
  Result<std::vector<pid_t>> processes() const override { return inner_->processes(); }
  Result<bool> exists() const override { return inner_->exists(); }
  Result<Stats> stats() const override { return inner_->stats(); }
  Result<int> oom_fd() const override { return inner_->oom_fd(); }
  Result<uint64_t> oom_kills() const override { return inner_->oom_kills(); }
  Result<> kill_all(int signal) override { return inner_->kill_all(signal); }

 private:
  Result<Systemd*> systemd() {
    if (!systemd_) systemd_ = TRY(Systemd::open(unit_.of_user));
    return &*systemd_;
  }
  Result<> start_unit(std::span<const plan::CgroupWrite> writes);
  std::vector<UnitProperty> scope_properties(std::span<const plan::CgroupWrite> writes);
  std::vector<plan::CgroupWrite> beside_holder(std::span<const plan::CgroupWrite> writes);
  void give_up();
  void end_empty_scope();
  Result<> tell_systemd(std::span<const plan::CgroupWrite> writes);
  plan::CpuQuota quota_now() const;
  Result<> stop_unit() { return TRY(systemd())->stop(unit_.name); }

  std::unique_ptr<CgroupManager> inner_;
  plan::UnitPlan unit_;
  bool is_v2_;
  std::optional<Systemd> systemd_;
  os::ChildProcess holder_ = {};
  std::vector<plan::CgroupWrite> late_ = {};  // until the holder is gone
  bool told_systemd_ = false;
  std::string sub_path_ = {};  // of the unit's cgroup: "/a"
};

// A scope ends when it is empty, so it cannot be made before there is a process: one that does
// nothing holds it until init has been cloned into it.
Result<> SystemdManager::start_unit(std::span<const plan::CgroupWrite> writes) {
  Systemd* const systemd = TRY(this->systemd());
  holder_ = TRY(os::start_idle_process());
  TRY(systemd->start_scope(unit_.name, scope_properties(writes)));
  if (TRY(inner_->exists())) return {};
  return fail(ErrorKind::System,
              "unit {} was started, but its cgroup is not where it should be: systemctl show -P "
              "ControlGroup {}",
              unit_.name, unit_.name);
}

// The holder counts as a process: of a limit of one nothing would be left for init.
std::vector<plan::CgroupWrite> SystemdManager::beside_holder(
    std::span<const plan::CgroupWrite> writes) {
  std::vector<plan::CgroupWrite> changed(writes.begin(), writes.end());
  const auto limit = std::ranges::find(changed, "pids.max", &plan::CgroupWrite::file);
  if (limit == changed.end() || limit->value != "1") return changed;
  late_.assign(1, *limit);
  limit->value = "2";
  return changed;
}

// A unit of this name that does not hold the holder is another's. One that was asked for and is not
// there yet ends by itself, without a process.
void SystemdManager::give_up() {
  const Result<std::vector<pid_t>> inside = inner_->processes();
  const bool is_ours =
      inside && std::ranges::find(*inside, holder_.pid()) != inside->end() && holder_;
  holder_.kill_and_reap();
  if (is_ours) {
    (void)destroy();
  } else {
    end_empty_scope();
  }
}

// Who dies while systemd moves it into the scope does not arrive: the kernel leaves out what exits,
// and says nothing. systemd would wait for ever for the end of somebody, so somebody ends there.
void SystemdManager::end_empty_scope() {
  const Result<std::vector<pid_t>> inside = inner_->processes();
  if (!inside || !inside->empty() || !inner_->exists().value_or(false)) return;
  const Result<os::ChildProcess> last = os::start_idle_process();
  if (last) (void)inner_->add(last->pid());
}

std::vector<UnitProperty> SystemdManager::scope_properties(
    std::span<const plan::CgroupWrite> writes) {
  std::vector<plan::BusValue> processes;
  processes.push_back(plan::bus_number('u', static_cast<uint64_t>(holder_.pid())));
  std::vector<UnitProperty> properties = {
      {"Description", plan::bus_string(unit_.description)},
      {"Slice", plan::bus_string(unit_.slice)},
      {"PIDs", plan::bus_array("u", std::move(processes))},
      {"Delegate", plan::bus_boolean(true)},
      {"DefaultDependencies", plan::bus_boolean(false)},
      {"CollectMode", plan::bus_string("inactive-or-failed")},
      {"CPUAccounting", plan::bus_boolean(true)},
      {"MemoryAccounting", plan::bus_boolean(true)},
      {"TasksAccounting", plan::bus_boolean(true)},
      {is_v2_ ? "IOAccounting" : "BlockIOAccounting", plan::bus_boolean(true)}};
  const std::vector<UnitProperty> limits =
      plan::unit_properties(writes, systemd_->facts().version, {});
  properties.insert(properties.end(), limits.begin(), limits.end());
  // The user's own, last: of two the last one counts.
  properties.insert(properties.end(), unit_.properties.begin(), unit_.properties.end());
  return properties;
}

Result<> SystemdManager::tell_systemd(std::span<const plan::CgroupWrite> writes) {
  Systemd* const systemd = TRY(this->systemd());
  const std::vector<UnitProperty> properties =
      plan::unit_properties(writes, systemd->facts().version, quota_now());
  if (properties.empty()) return {};
  return systemd->set_properties(unit_.name, properties);
}

plan::CpuQuota SystemdManager::quota_now() const {
  const Result<std::string> both = inner_->read("cpu", "cpu.max");
  if (both) return plan::read_cpu_max(trimmed(*both), {});
  const Result<std::string> quota = inner_->read("cpu", "cpu.cfs_quota_us");
  const Result<std::string> period = inner_->read("cpu", "cpu.cfs_period_us");
  if (!quota || !period) return {};
  return plan::read_cpu_max(formatted("{} {}", trimmed(*quota), trimmed(*period)), {});
}

}  // namespace

std::unique_ptr<CgroupManager> make_systemd(std::unique_ptr<CgroupManager> inner,
                                            const plan::CgroupPlan& plan,
                                            std::optional<Systemd> systemd) {
  const bool is_v2 = plan.places.size() == 1 && plan.places.front().is_v2;
  return std::make_unique<SystemdManager>(std::move(inner), plan.unit, is_v2, std::move(systemd));
}

}  // namespace berth::cgroup
