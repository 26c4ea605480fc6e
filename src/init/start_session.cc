// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string_view>

#include "init/step.h"

namespace berth::init {
namespace {

// Possessor: all. Owner: view, read, search, link. The kernel's default lacks the search.
constexpr unsigned kKeyringPermissions = 0x3f1b0000;

// What the caller ignores or blocks is its own business: execve would hand both on.
void reset_signals(uint64_t ignored) {
  for (int number = 1; ignored != 0; ++number, ignored >>= 1) {
    if ((ignored & 1) != 0) (void)::signal(number, SIG_DFL);
  }
  const uint64_t none = 0;
  (void)::syscall(SYS_rt_sigprocmask, SIG_SETMASK, &none, nullptr, sizeof none);
}

// SELinux: the keyring must bear the container's label, or its processes cannot use it. An end of
// line alone takes the label away again.
int label_new_keys(std::string_view label) {
  if (label.empty()) return 0;
  const ChildFd file(::open("/proc/thread-self/attr/keycreate", O_WRONLY | O_CLOEXEC));
  if (!file) return -errno;
  return ::write(file.get(), label.data(), label.size()) < 0 ? -errno : 0;
}

}  // namespace

StepResult start_session(ProcessContext& process) {
  reset_signals(process.prepared.ignored_signals);
  ::umask(0);  // modes are meant as written until the process gets its own
  ::setsid();  // fails only for a leader of a group, who has a session already
  if (process.prepared.keyring.empty()) return {};
  int result = label_new_keys(process.plan.selinux_label);
  if (result < 0) return failure(Step::StartSession, result, -1, Action::SetLabel);
  const long keyring =
      ::syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, process.prepared.keyring.c_str());
  if (keyring >= 0 && !process.plan.selinux_label.empty()) result = label_new_keys("\n");
  if (result < 0) return failure(Step::StartSession, result, -1, Action::SetLabel);
  if (keyring < 0) {
    if (errno == ENOSYS) return {};
    return failure(Step::StartSession, errno, -1, Action::SetKeyring);
  }
  if (::syscall(SYS_keyctl, KEYCTL_SETPERM, keyring, kKeyringPermissions) < 0) {
    return failure(Step::StartSession, errno, -1, Action::SetKeyring);
  }
  return {};
}

StepResult start_session(InitContext& init) { return start_session(init.process); }

StepResult open_label(ProcessContext& process) {
  if (process.prepared.label.empty()) return {};
  // AppArmor's own file is there in each kernel that was built with it, and takes no label of
  // SELinux; the other file is that of the module which is on.
  if (process.plan.selinux_label.empty())
    process.label_file = ::open("/proc/thread-self/attr/apparmor/exec", O_WRONLY | O_CLOEXEC);
  if (process.label_file < 0)
    process.label_file = ::open("/proc/thread-self/attr/exec", O_WRONLY | O_CLOEXEC);
  if (process.label_file < 0) return failure(Step::LimitProcess, errno, -1, Action::SetLabel);
  return {};
}

}  // namespace berth::init
