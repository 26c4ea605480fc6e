// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include "berth/try.h"
#include "cgroup/below.h"
#include "cgroup/delegate.h"
#include "cgroup/device_filter.h"
#include "cgroup/enable.h"
#include "cgroup/read_stats.h"
#include "cgroup/saved_values.h"
#include "cgroup/waiting.h"
#include "cgroup/writes.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

class V2Manager final : public CgroupManager {
 public:
  V2Manager(plan::CgroupPlace place, bool tolerate_denied)
      : directory_(std::move(place)), tolerate_denied_(tolerate_denied) {}

  Result<> create(std::span<const plan::CgroupWrite> writes) override {
    Result<> made = make(writes);
    if (made) return made;
    directory_.unmake();
    if (!tolerate_denied_ || !is_denied(made.error()) || !writes.empty()) return made;
    directory_.leave_out();
    return {};
  }

  Result<> adopt(std::span<const plan::CgroupWrite> writes) override {
    return enable_controllers(directory_, writes, Enable::Needed);
  }

  int clone_target() const override {
    if (directory_.left_out()) return -1;
    return below_.fd(directory_);
  }
  std::span<const int> task_files() const override {
    return procs_ ? std::span(&procs_number_, 1) : std::span<const int>();
  }
  Result<> open_procs() override {
    if (directory_.left_out()) return {};
    procs_ = TRY(directory_.open_file("cgroup.procs", O_WRONLY));
    procs_number_ = procs_.get();
    return {};
  }
  Result<> open_tasks(std::span<const plan::SubCgroup> places) override {
    for (const plan::SubCgroup& place : places) {
      if (!place.controller.empty()) return cgroup::unknown_controller(place.controller);
      TRY(below_.open(directory_, place.path));
    }
    return {};
  }
  Result<bool> follow(std::string_view membership) override {
    const std::optional<std::string> path = place_below(membership, directory_);
    if (!path) return false;
    TRY(below_.open(directory_, *path));
    return true;
  }
  Error entry_error(int error) const override {
    return cgroup::entry_error(directory_, below_, error);
  }
  Result<> add(pid_t process) override {
    if (directory_.left_out()) return {};
    return below_.add(directory_, process);
  }

  Result<> apply(std::span<const plan::CgroupWrite> writes) override {
    const Locate here = [this](plan::CgroupWrite&) { return &directory_; };
    Result<> done = write_all(writes, here);
    if (done || !is_missing(done.error()) || directory_.left_out()) return done;
    // `update` may need a controller that was not enabled when the container was made.
    if (!enable_controllers(directory_, writes)) return done;
    return write_all(writes, here);
  }

  Result<std::vector<plan::CgroupWrite>> save(std::span<const plan::CgroupWrite> writes) override {
    if (directory_.left_out()) return std::vector<plan::CgroupWrite>();
    // What cannot be enabled has no value yet, and apply() says why.
    (void)enable_controllers(directory_, writes);
    return save_values(writes, [this](plan::CgroupWrite&) { return &directory_; });
  }

  Result<> apply_devices(std::span<const plan::DeviceRulePlan> rules) override {
    if (directory_.left_out()) return {};
    Result<> done = apply_devices_v2(directory_, TRY(device_policy(rules)), made_here_);
    if (!done && tolerate_denied_ && is_denied(done.error())) return {};
    return done;
  }

  Result<> delegate(uid_t owner) override {
    if (directory_.left_out()) return {};
    return delegate_directory(directory_, owner);
  }

  Result<> set(Freezer state) override { return freeze_v2(directory_, state); }

  Result<std::string> read(std::string_view, const char* file) const override {
    return directory_.read(file);
  }
  Result<Freezer> freezer() const override {
    Result<std::string> text = directory_.read("cgroup.freeze");
    if (!text && is_missing(text.error())) return Freezer::Thawed;
    return trimmed(TRY(std::move(text))) == "1" ? Freezer::Frozen : Freezer::Thawed;
  }

  Result<std::vector<pid_t>> processes() const override {
    std::vector<pid_t> found;
    TRY(directory_.collect_processes(found));
    sort_unique(found);
    return found;
  }

  Result<bool> exists() const override { return directory_.exists(); }
  Result<Stats> stats() const override { return stats_v2(directory_); }
  Result<int> oom_fd() const override { return oom_fd_v2(directory_); }

  Result<uint64_t> oom_kills() const override {
    Result<std::string> events = directory_.read("memory.events");
    if (!events && is_missing(events.error())) return uint64_t{0};
    return value_of(TRY(std::move(events)), "oom_kill");
  }

  Result<> kill_all(int signal) override {
    if (signal != SIGKILL) return signal_each(TRY(processes()), signal);
    Result<> killed = directory_.write("cgroup.kill", "1");
    if (killed || !is_missing(killed.error())) return killed;
    if (!TRY(directory_.exists())) return {};
    // Linux before 5.14: nothing may fork while they are killed one by one.
    TRY(freeze_v2(directory_, Freezer::Frozen));
    Result<std::vector<pid_t>> all = processes();
    Result<> done = all ? signal_each(*all, signal) : std::unexpected(std::move(all).error());
    TRY(freeze_v2(directory_, Freezer::Thawed));
    return done;
  }

  bool remove_empty() override { return directory_.remove_empty(); }

  Result<> destroy() override {
    Result<> removed = remove_waiting(directory_, now_ms() + kRemoveTimeoutMs);
    if (!removed && tolerate_denied_ && is_denied(removed.error())) return {};
    return removed;
  }

 private:
  Result<> make(std::span<const plan::CgroupWrite> writes) {
    TRY(directory_.make());
    TRY(enable_controllers(directory_, writes));
    made_here_ = !directory_.existed();
    if (directory_.is_fresh_child_of_root()) return {};
    TRY(make_habitable(directory_, writes));
    const std::string events = TRY(directory_.read("cgroup.events"));
    if (value_of(events, "populated") != 0) return refuse_populated();
    // A new cgroup is frozen too when one above it is: what is cloned into it would never run.
    if (value_of(events, "frozen") == 1) return frozen_error(directory_);
    return {};
  }

  Result<> refuse_populated() {
    return fail(ErrorKind::WrongState, "cgroup {}: cgroup is not empty", directory_.full_path());
  }

  Directory directory_;
  bool tolerate_denied_;
  bool made_here_ = false;
  Below below_ = {};
  os::UniqueFd procs_ = {};
  int procs_number_ = -1;
};

}  // namespace

Result<std::unique_ptr<CgroupManager>> make_v2(plan::CgroupPlace place, bool tolerate_denied) {
  return std::make_unique<V2Manager>(std::move(place), tolerate_denied);
}

}  // namespace berth::cgroup
