// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "berth/error.h"
#include "berth/stats.h"
#include "cgroup/systemd_bus.h"
#include "plan/plan.h"
#include "plan/sub_cgroup.h"

namespace berth::cgroup {

enum class Freezer { Thawed, Frozen };

// The cgroup of one container in all its hierarchies. Everything by directory descriptors below the
// hierarchy's root; no path component may be a symlink or leave it.
class CgroupManager {
 public:
  virtual ~CgroupManager() = default;

  // Makes the directories (parents too) and enables the controllers that `writes` need. Refuses a
  // cgroup that holds processes or is frozen. On failure what was made is removed again.
  virtual Result<> create(std::span<const plan::CgroupWrite> writes) = 0;
  // The same for directories that systemd has made: they may hold a process already.
  virtual Result<> adopt(std::span<const plan::CgroupWrite> writes) = 0;
  // Of who has called create: the container's first process is in, what held the cgroup until then
  // may go.
  virtual Result<> first_is_in() { return {}; }
  // v2: a descriptor for CLONE_INTO_CGROUP; -1 where there is none.
  virtual int clone_target() const = 0;
  // v1: the `tasks` files, opened for writing: the single-threaded child writes "0" to each, which
  // costs no RCU grace period (a pid written to cgroup.procs does). Empty for v2.
  virtual std::span<const int> task_files() const = 0;
  // Where clone_target() does not help: clone3 takes only what is below the root of the caller's
  // cgroup namespace, which may be a joined one. Adds the cgroup.procs of v2 to task_files(), for
  // which the namespace of who opens them counts (Linux 5.16).
  virtual Result<> open_procs() = 0;
  // For a further process of a cgroup that exists: fills task_files(), and has clone_target() and
  // add() lead to the same place. InvalidUse for a controller that has no hierarchy here.
  virtual Result<> open_tasks(std::span<const plan::SubCgroup> places) = 0;
  // The same where nothing can be cloned into the container's own cgroup of v2: into that of its
  // first process, whose /proc/PID/cgroup is given. False: that one is not below.
  virtual Result<bool> follow(std::string_view membership) = 0;
  // Why nothing could be cloned into clone_target().
  virtual Error entry_error(int error) const = 0;
  virtual Result<> add(pid_t process) = 0;
  // Whether add() can do what CLONE_INTO_CGROUP is denied.
  virtual bool can_attach() const { return false; }

  // One file of the cgroup; v1: in the hierarchy of the controller.
  virtual Result<std::string> read(std::string_view controller, const char* file) const = 0;
  virtual Result<> apply(std::span<const plan::CgroupWrite> writes) = 0;
  // For a change that may have to be undone: the writes that bring back what is in force now, where
  // `writes` change it, newest first. Enables the controllers that they need. What the kernel does
  // not tell, or cannot take back, is left out.
  virtual Result<std::vector<plan::CgroupWrite>> save(
      std::span<const plan::CgroupWrite> writes) = 0;
  virtual Result<> apply_devices(std::span<const plan::DeviceRulePlan> rules) = 0;
  virtual Result<> delegate(uid_t owner) = 0;

  virtual Result<> set(Freezer state) = 0;  // returns when the kernel says that it is so
  virtual Result<Freezer> freezer() const = 0;
  virtual Result<std::vector<pid_t>> processes() const = 0;  // with those of sub-cgroups, each once
  virtual Result<bool> exists() const = 0;
  virtual Result<Stats> stats() const = 0;
  virtual Result<int> oom_fd()
      const = 0;  // readable when an OOM kill happened (v1 eventfd, v2 inotify)
  virtual Result<uint64_t> oom_kills() const = 0;
  // Every process, those of sub-cgroups too. SIGKILL is atomic where the kernel can (cgroup.kill,
  // else frozen meanwhile).
  virtual Result<> kill_all(int signal) = 0;
  // Removes what holds neither a process nor a cgroup; false when something is left for kill_all
  // and destroy.
  virtual bool remove_empty() = 0;
  // Removes the directories with sub-cgroups; missing ones are no error. Fails (WrongState) while
  // processes are in it.
  virtual Result<> destroy() = 0;
};

// For a new container (a plan of plan_cgroup) and for one that exists (driver, unit, places and
// tolerate_denied from its record). Without a connection to systemd one is made when it is needed.
Result<std::unique_ptr<CgroupManager>> make_manager(const plan::CgroupPlan& plan,
                                                    std::optional<Systemd> systemd = {});

}  // namespace berth::cgroup
