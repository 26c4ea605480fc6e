// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <limits.h>
#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "init/passwd.h"
#include "init/step.h"
#include "os/device.h"

namespace berth::init {
namespace {

constexpr dev_t kNullDevice = os::device_number(1, 3);

bool holds(uint64_t set, int capability) { return (set >> capability & 1) != 0; }

int drop_bounding(const ProcessContext& process) {
  for (int capability = 0; capability <= process.prepared.last_capability; ++capability) {
    if (holds(process.plan.capabilities.bounding, capability)) continue;
    if (::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0) return -errno;
  }
  return 0;
}

// All ids by raw call, see join_namespaces.cc.
int set_ids(const ProcessContext& process) {
  const plan::ProcessPlan& plan = process.plan;
  // Denied and none asked for: the caller's stay, as in every user namespace that denies it.
  const bool kept = process.prepared.setgroups_denied && plan.groups.empty();
  if (plan.set_groups && !kept &&
      ::syscall(SYS_setgroups, plan.groups.size(), plan.groups.data()) < 0)
    return -errno;
  if (::syscall(SYS_setresgid, plan.gid, plan.gid, plan.gid) < 0) return -errno;
  return ::syscall(SYS_setresuid, plan.uid, plan.uid, plan.uid) < 0 ? -errno : 0;
}

int set_capabilities(const plan::CapabilityPlan& plan) {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2];
  for (int half = 0; half < 2; ++half) {
    data[half].effective = static_cast<uint32_t>(plan.effective >> (32 * half));
    data[half].permitted = static_cast<uint32_t>(plan.permitted >> (32 * half));
    data[half].inheritable = static_cast<uint32_t>(plan.inheritable >> (32 * half));
  }
  return ::syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

int raise_ambient(const ProcessContext& process) {
  // capset has taken from the ambient set what is not inheritable now.
  if (process.plan.capabilities.inheritable == 0) return 0;
  if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 && errno != EINVAL)
    return -errno;
  for (int capability = 0; capability <= process.prepared.last_capability; ++capability) {
    if (!holds(process.plan.capabilities.ambient, capability)) continue;
    if (::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) < 0) return -errno;
  }
  return 0;
}

// The user must be able to reopen /dev/stdout and the like. What can not be given away stays as it
// is.
void give_standard_streams(uid_t uid) {
  for (int fd = 0; fd < 3; ++fd) {
    struct stat status;
    if (::fstat(fd, &status) < 0 || status.st_uid == uid || status.st_rdev == kNullDevice) continue;
    (void)!::fchown(fd, uid, static_cast<gid_t>(-1));
  }
}

}  // namespace

// As late as possible: a low limit must not starve the set-up itself.
StepResult set_rlimits(ProcessContext& process) {
  if (!process.prepared.sets_rlimits) return {};
  for (size_t index = 0; index < process.plan.rlimits.size(); ++index) {
    const plan::RlimitItem& item = process.plan.rlimits[index];
    if (::setrlimit(static_cast<__rlimit_resource>(item.resource), &item.limit) < 0) {
      return failure(Step::DropPrivileges, errno, static_cast<int>(index), Action::SetRlimit);
    }
  }
  return {};
}

StepResult change_directory(ProcessContext& process) {
  if (::chdir(process.plan.cwd.c_str()) < 0)
    return failure(Step::DropPrivileges, errno, -1, Action::ChangeDirectory);
  char path[PATH_MAX];
  // A path through somebody's descriptor leads outside the root: the kernel then says
  // "(unreachable)".
  if (::syscall(SYS_getcwd, path, sizeof path) < 0 || path[0] != '/') {
    return failure(Step::DropPrivileges, ENOENT, -1, Action::LeftRoot);
  }
  return {};
}

StepResult drop_privileges(ProcessContext& process) {
  const plan::ProcessPlan& plan = process.plan;
  // From here on it is like any process of the container, but holds what those must not reach:
  // none of them may look into it. execve ends that.
  if (!process.prepared.stays_readable && ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
    return failure(Step::DropPrivileges, errno, -1, Action::SetIds);
  ::umask(plan.umask);
  give_standard_streams(plan.uid);
  // Some directories only root may enter, some (on network filesystems) only the user.
  const StepResult before = change_directory(process);
  if (!before && before.error().os_error != EACCES && before.error().os_error != EPERM)
    return before;
  if (process.prepared.home_slot != nullptr) read_home(plan.uid, process.prepared.home_slot);
  TRY(set_rlimits(process));
  if (plan.capabilities.set) {
    const int result = drop_bounding(process);
    if (result < 0) return failure(Step::DropPrivileges, result, -1, Action::SetCapabilities);
  }
  // Capabilities are lost on the way from user 0 to another.
  if (plan.uid != 0 && ::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
    return failure(Step::DropPrivileges, errno, -1, Action::SetIds);
  int result = set_ids(process);
  if (result < 0) return failure(Step::DropPrivileges, result, -1, Action::SetIds);
  if (!before) TRY(change_directory(process));
  if (plan.capabilities.set) {
    result = set_capabilities(plan.capabilities);
    if (result == 0) result = raise_ambient(process);
    if (result < 0) return failure(Step::DropPrivileges, result, -1, Action::SetCapabilities);
  }
  if (plan.no_new_privileges && ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
    return failure(Step::DropPrivileges, errno, -1, Action::SetCapabilities);
  }
  if (process.label_file >= 0) {
    const std::string& label = process.prepared.label;
    if (::write(process.label_file, label.data(), label.size()) < 0) {
      return failure(Step::DropPrivileges, errno, -1, Action::SetLabel);
    }
  }
  return {};
}

}  // namespace berth::init
