// SPDX-License-Identifier: Apache-2.0
// v1 hierarchies, and with them the unified one of a hybrid host.
#include <errno.h>
#include <fcntl.h>
#include <signal.h>

#include <algorithm>

#include "berth/try.h"
#include "cgroup/below.h"
#include "cgroup/cpuset.h"
#include "cgroup/device_filter.h"
#include "cgroup/enable.h"
#include "cgroup/read_stats.h"
#include "cgroup/saved_values.h"
#include "cgroup/waiting.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::cgroup {
namespace {

// A cgroup gets real-time only out of its parent's share: what was just made has none.
Result<> give_parents_realtime(const Directory& directory,
                               std::span<const plan::CgroupWrite> writes) {
  for (const std::string& path : directory.made_parents()) {
    const os::UniqueFd level = TRY(directory.open_in_hierarchy(path, O_PATH | O_DIRECTORY));
    for (const plan::CgroupWrite& write : writes) {
      if (!write.file.starts_with("cpu.rt_")) continue;
      TRY(os::write_file_at(level.get(), write.file.c_str(), write.value) |
          context("write {} to {} of cgroup {}", write.value, write.file, path) |
          at(write.pointer));
    }
  }
  return {};
}

bool is_for(const plan::SubCgroup& place, const Directory& directory) {
  std::string_view controller = place.controller;
  if (controller.starts_with("name=")) controller.remove_prefix(5);
  return controller.empty() || directory.has(controller);
}

// Controllers that share a hierarchy cannot go to different places.
Result<std::string> path_in(const Directory& directory, std::span<const plan::SubCgroup> places) {
  const plan::SubCgroup* found = nullptr;
  for (const plan::SubCgroup& place : places) {
    if (!is_for(place, directory)) continue;
    if (found != nullptr && found->path != place.path) {
      return fail(ErrorKind::InvalidUse,
                  "invalid --cgroup argument(s): {} and {} are in one hierarchy, and can have one "
                  "path only",
                  found->controller, place.controller);
    }
    found = &place;
  }
  return found != nullptr ? found->path : std::string();
}

class V1Manager final : public CgroupManager {
 public:
  V1Manager(std::vector<plan::CgroupPlace> places, bool tolerate_denied)
      : tolerate_denied_(tolerate_denied) {
    // The unified one first: destroy() waits there by an event.
    std::ranges::stable_partition(places,
                                  [](const plan::CgroupPlace& place) { return place.is_v2; });
    for (plan::CgroupPlace& place : places) directories_.emplace_back(std::move(place));
  }

  Result<> create(std::span<const plan::CgroupWrite> writes) override;
  Result<> adopt(std::span<const plan::CgroupWrite> writes) override {
    may_be_busy_ = true;
    return create(writes);
  }
  int clone_target() const override;
  std::span<const int> task_files() const override { return task_numbers_; }
  Result<> open_tasks(std::span<const plan::SubCgroup> places) override;
  Result<bool> follow(std::string_view membership) override;
  Error entry_error(int error) const override;
  Result<> open_procs() override;
  Result<> add(pid_t process) override;
  Result<> apply(std::span<const plan::CgroupWrite> writes) override;
  Result<std::vector<plan::CgroupWrite>> save(std::span<const plan::CgroupWrite> writes) override {
    return save_values(writes, [this](plan::CgroupWrite& write) { return locate(write); });
  }
  Result<> apply_devices(std::span<const plan::DeviceRulePlan> rules) override;
  Result<> delegate(uid_t) override {
    return {};
  }  // not safe on v1: its cgroups have no limits of their own for it
  Result<> set(Freezer state) override;
  Result<Freezer> freezer() const override;
  Result<std::string> read(std::string_view controller, const char* file) const override;
  Result<std::vector<pid_t>> processes() const override;
  Result<bool> exists() const override;
  Result<Stats> stats() const override;
  Result<int> oom_fd() const override;
  Result<uint64_t> oom_kills() const override;
  Result<> kill_all(int signal) override;
  bool remove_empty() override;
  Result<> destroy() override;

 private:
  Result<> make(Directory& directory, std::span<const plan::CgroupWrite> writes);
  Result<> open_to_enter(const Directory& directory, const char* file);
  void keep_task_file(os::UniqueFd file) {
    task_numbers_.push_back(file.get());
    tasks_.push_back(std::move(file));
  }
  Result<> check_controllers(std::span<const plan::SubCgroup> places) const;
  Result<> make_all(std::span<const plan::CgroupWrite> writes);
  bool must_be_empty(const Directory& directory) const {
    return directory.existed() && !may_be_busy_;
  }
  Directory* find(std::string_view controller);
  const Directory* find(std::string_view controller) const {
    return const_cast<V1Manager*>(this)->find(controller);
  }
  Directory* unified();
  const Directory* unified() const { return const_cast<V1Manager*>(this)->unified(); }
  Directory* locate(plan::CgroupWrite& write);
  Result<bool> kill_unified();
  Result<> kill_each();

  std::vector<Directory> directories_ = {};
  std::vector<os::UniqueFd> tasks_ = {};
  std::vector<int> task_numbers_ = {};
  Below below_ = {};  // of the unified hierarchy
  bool tolerate_denied_;
  bool may_be_busy_ = false;
};

Directory* V1Manager::find(std::string_view controller) {
  for (Directory& directory : directories_) {
    if (!directory.left_out() && directory.has(controller)) return &directory;
  }
  return nullptr;
}

Directory* V1Manager::unified() {
  const bool there =
      !directories_.empty() && directories_.front().is_v2() && !directories_.front().left_out();
  return there ? &directories_.front() : nullptr;
}

// A hybrid host may have a controller (hugetlb) in the unified hierarchy: its file has the name of
// v2 there.
Directory* V1Manager::locate(plan::CgroupWrite& write) {
  if (Directory* directory = find(write.controller)) return directory;
  if (write.controller != "hugetlb" || !unified()) return nullptr;
  const size_t ending = write.file.rfind(".limit_in_bytes");
  if (ending != write.file.npos) write.file.replace(ending, std::string::npos, ".max");
  return unified();
}

Result<> V1Manager::make(Directory& directory, std::span<const plan::CgroupWrite> writes) {
  TRY(directory.make());
  if (directory.is_v2()) {
    std::vector<plan::CgroupWrite> needed;
    for (const plan::CgroupWrite& write : writes) {
      if (write.controller == "hugetlb" && !find("hugetlb")) needed.push_back(write);
    }
    if (!needed.empty()) TRY(enable_controllers(directory, needed));
    const std::string events = TRY(directory.read("cgroup.events"));
    return value_of(events, "frozen") == 1 ? Result<>(frozen_error(directory))
           : must_be_empty(directory)      ? refuse_busy(directory)
                                           : Result<>();
  }
  if (must_be_empty(directory)) TRY(refuse_busy(directory));
  if (directory.has("freezer") && trimmed(TRY(directory.read("freezer.state"))) != "THAWED")
    return frozen_error(directory);
  if (directory.has("cpuset")) TRY(fill_cpuset(directory));
  if (directory.has("cpu")) TRY(give_parents_realtime(directory, writes));
  return open_to_enter(directory, "tasks");
}

Result<> V1Manager::open_to_enter(const Directory& directory, const char* file) {
  keep_task_file(TRY(directory.open_file(file, O_WRONLY)));
  return {};
}

Result<> V1Manager::check_controllers(std::span<const plan::SubCgroup> places) const {
  for (const plan::SubCgroup& place : places) {
    const bool known = std::ranges::any_of(directories_, [&place](const Directory& directory) {
      return !directory.is_v2() && is_for(place, directory);
    });
    if (!known) return unknown_controller(place.controller);
  }
  return {};
}

// A hierarchy that create left out, being denied, has no directory now either.
Result<> V1Manager::open_tasks(std::span<const plan::SubCgroup> places) {
  TRY(check_controllers(places));
  for (const Directory& directory : directories_) {
    const std::string path = TRY(path_in(directory, places));
    if (directory.is_v2()) {
      // Those that a container makes by hand are often not there: it has no limits.
      if (!path.empty() && !below_.open(directory, path)) below_ = {};
      continue;
    }
    Result<os::UniqueFd> tasks = open_tasks_below(directory, path);
    if (!tasks && tolerate_denied_ && path.empty() && is_missing(tasks.error())) continue;
    keep_task_file(TRY(std::move(tasks)));
  }
  return {};
}

Result<bool> V1Manager::follow(std::string_view membership) {
  const std::optional<std::string> path =
      unified() ? place_below(membership, *unified()) : std::nullopt;
  if (!path) return false;
  TRY(below_.open(*unified(), *path));
  return true;
}

Error V1Manager::entry_error(int error) const {
  if (unified()) return cgroup::entry_error(*unified(), below_, error);
  return Error::system(error, "clone the process");
}

Result<> V1Manager::open_procs() {
  return unified() ? open_to_enter(*unified(), "cgroup.procs") : Result<>();
}

Result<> V1Manager::make_all(std::span<const plan::CgroupWrite> writes) {
  for (Directory& directory : directories_) {
    Result<> made = make(directory, writes);
    if (made) continue;
    if (!tolerate_denied_ || !is_denied(made.error())) return made;
    directory.unmake();
    directory.leave_out();
  }
  return {};
}

Result<> V1Manager::create(std::span<const plan::CgroupWrite> writes) {
  Result<> made = make_all(writes);
  if (made) return made;
  task_numbers_.clear();
  tasks_.clear();
  for (Directory& directory : directories_) directory.unmake();
  return made;
}

// CLONE_INTO_CGROUP knows the unified hierarchy of a hybrid host as well.
int V1Manager::clone_target() const { return unified() ? below_.fd(*unified()) : -1; }

Result<> V1Manager::add(pid_t process) {
  const std::string text = formatted("{}", process);
  for (const Directory& directory : directories_) {
    if (!directory.left_out()) TRY(directory.write("cgroup.procs", text));
  }
  return {};
}

Result<> V1Manager::apply(std::span<const plan::CgroupWrite> writes) {
  return write_all(writes, [this](plan::CgroupWrite& write) { return locate(write); });
}

Result<> V1Manager::apply_devices(std::span<const plan::DeviceRulePlan> rules) {
  Directory* devices = find("devices");
  if (!devices && !unified()) return {};
  const DevicePolicy policy = TRY(device_policy(rules));
  Result<> done = devices ? apply_devices_v1(*devices, policy)
                          : apply_devices_v2(*unified(), policy, !unified()->existed());
  if (!done && tolerate_denied_ && is_denied(done.error())) return {};
  return done;
}

Result<> V1Manager::set(Freezer state) {
  if (const Directory* directory = find("freezer")) return freeze_v1(*directory, state);
  if (const Directory* directory = unified()) return freeze_v2(*directory, state);
  return fail(ErrorKind::Unsupported, "there is no cgroup to freeze this container with");
}

Result<std::string> V1Manager::read(std::string_view controller, const char* file) const {
  const Directory* directory = find(controller);
  if (!directory)
    return fail(ErrorKind::Unsupported, "cgroup controller {} is not there", controller);
  return directory->read(file);
}

Result<Freezer> V1Manager::freezer() const {
  const bool v1 = find("freezer") != nullptr;
  const Directory* directory = v1 ? find("freezer") : unified();
  if (!directory) return Freezer::Thawed;
  Result<std::string> text = directory->read(v1 ? "freezer.state" : "cgroup.freeze");
  if (!text && is_missing(text.error())) return Freezer::Thawed;
  const std::string value = TRY(std::move(text));
  const std::string_view state = trimmed(value);
  return state == "THAWED" || state == "0" ? Freezer::Thawed : Freezer::Frozen;
}

// A process may have been moved about in one hierarchy, but not in all of them.
Result<std::vector<pid_t>> V1Manager::processes() const {
  std::vector<pid_t> found;
  for (const char* controller : {"freezer", "devices", "pids", "memory"}) {
    const Directory* directory = find(controller);
    if (!directory) continue;
    TRY(directory->collect_processes(found));
    sort_unique(found);
    return found;
  }
  for (const Directory& directory : directories_) TRY(directory.collect_processes(found));
  sort_unique(found);
  return found;
}

Result<bool> V1Manager::exists() const {
  for (const Directory& directory : directories_) {
    if (TRY(directory.exists())) return true;
  }
  return false;
}

Result<Stats> V1Manager::stats() const {
  return stats_v1([this](std::string_view controller) { return find(controller); }, unified());
}

Result<int> V1Manager::oom_fd() const {
  const Directory* memory = find("memory");
  if (!memory) return fail(ErrorKind::Unsupported, "there is no memory cgroup to watch");
  return oom_fd_v1(*memory);
}

Result<uint64_t> V1Manager::oom_kills() const {
  const Directory* memory = find("memory");
  if (!memory) return uint64_t{0};
  Result<std::string> text = memory->read("memory.oom_control");
  if (!text && is_missing(text.error())) return uint64_t{0};
  return value_of(TRY(std::move(text)), "oom_kill");
}

Result<bool> V1Manager::kill_unified() {
  if (!unified()) return false;
  Result<> killed = unified()->write("cgroup.kill", "1");
  if (!killed && is_missing(killed.error())) return false;
  TRY(std::move(killed));
  return true;
}

// Until no process is found that was not there the time before: without a freezer a fork may escape
// one round.
Result<> V1Manager::kill_each() {
  constexpr int kRounds = 100;
  std::vector<pid_t> before;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<pid_t> now = TRY(processes());
    TRY(signal_each(now, SIGKILL));
    if (std::ranges::includes(before, now)) return {};
    before = std::move(now);
  }
  return {};
}

Result<> V1Manager::kill_all(int signal) {
  if (signal != SIGKILL) return signal_each(TRY(processes()), signal);
  const Directory* freezer = find("freezer");
  const bool frozen_now = freezer && TRY(freezer->exists());
  if (!TRY(kill_unified()) && frozen_now) TRY(freeze_v1(*freezer, Freezer::Frozen));
  // Those too that another program moved out of the unified cgroup only.
  Result<> done = kill_each();
  // A frozen process dies only when it is thawed.
  if (frozen_now) {
    Result<> thawed = freeze_v1(*freezer, Freezer::Thawed);
    if (!thawed && !is_missing(thawed.error())) return thawed;
  }
  return done;
}

bool V1Manager::remove_empty() {
  return std::ranges::all_of(directories_,
                             [](Directory& directory) { return directory.remove_empty(); });
}

Result<> V1Manager::destroy() {
  task_numbers_.clear();
  tasks_.clear();
  Result<> done;
  const int64_t deadline = now_ms() + kRemoveTimeoutMs;
  for (Directory& directory : directories_) {
    Result<> removed = remove_waiting(directory, deadline);
    if (!removed && tolerate_denied_ && is_denied(removed.error())) continue;
    if (!removed && done) done = std::move(removed);
  }
  return done;
}

}  // namespace

Result<std::unique_ptr<CgroupManager>> make_v1(std::vector<plan::CgroupPlace> places,
                                               bool tolerate_denied) {
  return std::make_unique<V1Manager>(std::move(places), tolerate_denied);
}

}  // namespace berth::cgroup
