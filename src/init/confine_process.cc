// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/step.h"
#include "plan/landlock_rights.h"

// The annotations run.berth.* (docs/extensions.md).
namespace berth::init {
namespace {

// Newer than the headers of Debian 12.
constexpr int kSetMdwe = 65;                            // PR_SET_MDWE, Linux 6.3
constexpr unsigned long kRefuseExecGain = 1;            // PR_MDWE_REFUSE_EXEC_GAIN
constexpr int kSetMemoryMerge = 67;                     // PR_SET_MEMORY_MERGE, Linux 6.4
constexpr unsigned long kExceptAdvised = 1UL << 1;      // PR_THP_DISABLE_EXCEPT_ADVISED, 6.18
constexpr unsigned long kThread = 0, kThreadGroup = 1;  // PIDTYPE_PID, PIDTYPE_TGID

StepResult failed(Action action, int os_error, int item = -1) {
  return failure(Step::ConfineProcess, os_error, item, action);
}

int share_core(const ProcessContext& process) {
  const int result =
      process.is_init
          ? ::prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0UL, kThreadGroup, 0UL)
          : ::prctl(PR_SCHED_CORE, PR_SCHED_CORE_SHARE_FROM,
                    static_cast<unsigned long>(process.prepared.core_peer), kThread, 0UL);
  return result < 0 ? -errno : 0;
}

int limit_huge_pages(plan::HugePages wanted) {
  const unsigned long flags = wanted == plan::HugePages::Advised ? kExceptAdvised : 0;
  return ::prctl(PR_SET_THP_DISABLE, 1UL, flags, 0UL, 0UL) < 0 ? -errno : 0;
}

int allow_path(int ruleset, int root, const plan::LandlockItem& item) {
  const ChildFd place(os::RootDir(root).open(item.path.c_str()));
  if (!place) return place.get();
  struct stat status;
  if (::fstat(place.get(), &status) < 0) return -errno;
  landlock_path_beneath_attr rule{.allowed_access = item.rights, .parent_fd = place.get()};
  if (!S_ISDIR(status.st_mode)) rule.allowed_access &= plan::kLandlockOfFiles;
  if (rule.allowed_access == 0) return 0;
  return ::syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0
             ? -errno
             : 0;
}

}  // namespace

// While it has rights: a cookie is shared by who may look into the other process.
StepResult tune_process(ProcessContext& process) {
  const plan::ConfinementPlan& plan = process.plan.confinement;
  if (plan.core_cookie) {
    const int result = share_core(process);
    if (result < 0) return failed(Action::ShareCore, result);
  }
  if (plan.huge_pages != plan::HugePages::AsTheHost) {
    const int result = limit_huge_pages(plan.huge_pages);
    if (result < 0) return failed(Action::SetHugePages, result);
  }
  if (plan.merge_pages && ::prctl(kSetMemoryMerge, 1UL, 0UL, 0UL, 0UL) < 0)
    return failed(Action::MergePages, errno);
  return {};
}

// The paths are resolved in the container's root, with its mounts, by who may pass every directory:
// the restriction is not the user's own.
StepResult open_ruleset(ProcessContext& process) {
  const plan::ConfinementPlan& plan = process.plan.confinement;
  if (plan.landlock_rights == 0) return {};
  landlock_ruleset_attr attributes{};
  attributes.handled_access_fs = plan.landlock_rights;
  const long ruleset =
      ::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes.handled_access_fs, 0);
  if (ruleset < 0) return failed(Action::MakeRuleset, errno);
  process.ruleset = static_cast<int>(ruleset);
  const ChildFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failed(Action::MakeRuleset, errno);
  for (size_t index = 0; index < plan.landlock.size(); ++index) {
    const int result = allow_path(process.ruleset, root.get(), plan.landlock[index]);
    if (result < 0) return failed(Action::AllowPath, result, static_cast<int>(index));
  }
  return {};
}

// After the set-up has opened all that it needs; the filter that follows may know neither call.
StepResult confine_process(ProcessContext& process) {
  const plan::ConfinementPlan& plan = process.plan.confinement;
  if (plan.deny_write_execute && ::prctl(kSetMdwe, kRefuseExecGain, 0UL, 0UL, 0UL) < 0)
    return failed(Action::DenyWriteExecute, errno);
  if (process.ruleset >= 0 && ::syscall(SYS_landlock_restrict_self, process.ruleset, 0) < 0)
    return failed(Action::Restrict, errno);
  return {};
}

}  // namespace berth::init
