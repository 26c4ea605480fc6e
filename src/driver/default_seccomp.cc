// SPDX-License-Identifier: Apache-2.0
#include "driver/default_seccomp.h"

#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

namespace berth::driver {
namespace {

#if defined(__x86_64__)
constexpr const char* kArchitectures[] = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
#elif defined(__aarch64__)
constexpr const char* kArchitectures[] = {"SCMP_ARCH_AARCH64", "SCMP_ARCH_ARM"};
#endif

// Mounts, namespaces, modules, clocks, keys, memory of others, tracing of the kernel, raw hardware,
// io_uring; and relics that nothing needs. The names are the ones that Docker's documentation lists
// as blocked, and newer ones of the same kinds.
constexpr const char* kForbidden[] = {
    "acct",
    "add_key",
    "bpf",
    "clock_adjtime",
    "clock_adjtime64",
    "clock_settime",
    "clock_settime64",
    "create_module",
    "delete_module",
    "fanotify_init",
    "finit_module",
    "fsconfig",
    "fsmount",
    "fsopen",
    "fspick",
    "get_kernel_syms",
    "get_mempolicy",
    "init_module",
    "io_uring_enter",
    "io_uring_register",
    "io_uring_setup",
    "ioperm",
    "iopl",
    "kcmp",
    "kexec_file_load",
    "kexec_load",
    "keyctl",
    "lookup_dcookie",
    "mbind",
    "migrate_pages",
    "mount",
    "mount_setattr",
    "move_mount",
    "move_pages",
    "name_to_handle_at",
    "nfsservctl",
    "open_by_handle_at",
    "open_tree",
    "perf_event_open",
    "pivot_root",
    "process_vm_readv",
    "process_vm_writev",
    "query_module",
    "quotactl",
    "quotactl_fd",
    "reboot",
    "request_key",
    "set_mempolicy",
    "set_mempolicy_home_node",
    "setdomainname",
    "sethostname",
    "setns",
    "settimeofday",
    "stime",
    "swapoff",
    "swapon",
    "_sysctl",
    "sysfs",
    "syslog",
    "umount",
    "umount2",
    "unshare",
    "uselib",
    "userfaultfd",
    "ustat",
    "vhangup",
    "vm86",
    "vm86old",
};

spec::SeccompRule forbid(std::vector<std::string> names, uint32_t error) {
  return {.names = std::move(names), .action = spec::SeccompAction::Errno, .errno_ret = error};
}

struct Bits {
  uint32_t argument;
  uint64_t mask;  // only these bits are compared
  uint64_t value;
};

spec::SeccompRule forbid_where(const char* name, Bits bits) {
  spec::SeccompRule rule = forbid({name}, EPERM);
  rule.args.push_back({.index = bits.argument,
                       .value = bits.mask,
                       .value_two = bits.value,
                       .op = spec::SeccompOperator::MaskedEqual});
  return rule;
}

}  // namespace

spec::Seccomp default_seccomp() {
  constexpr uint64_t kLow = 0xffffffff;
  constexpr uint64_t kPushInput = 0x5412, kLinuxConsole = 0x541c;  // TIOCSTI, TIOCLINUX
  spec::Seccomp profile{.architectures = {std::begin(kArchitectures), std::end(kArchitectures)},
                        // The flags of clone3 are in memory, where a filter can not look: programs
                        // fall back to clone.
                        .rules = {forbid({std::begin(kForbidden), std::end(kForbidden)}, EPERM),
                                  forbid({"clone3"}, ENOSYS)}};
  for (uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                        CLONE_NEWPID, CLONE_NEWNET}) {
    profile.rules.push_back(forbid_where("clone", {0, flag, flag}));
  }
  for (uint64_t request : {kPushInput, kLinuxConsole})
    profile.rules.push_back(forbid_where("ioctl", {1, kLow, request}));
  for (uint64_t family : {AF_ALG, AF_VSOCK})
    profile.rules.push_back(forbid_where("socket", {0, kLow, family}));
  return profile;
}

}  // namespace berth::driver
