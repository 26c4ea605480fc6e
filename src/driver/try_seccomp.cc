// SPDX-License-Identifier: Apache-2.0
#include "driver/try_seccomp.h"

#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstdint>

#include "core/format.h"

namespace berth::driver {
namespace {

#if defined(__x86_64__)
constexpr std::string_view kArchitectures =
    R"(["SCMP_ARCH_X86_64","SCMP_ARCH_X86","SCMP_ARCH_X32"])";
#elif defined(__aarch64__)
constexpr std::string_view kArchitectures = R"(["SCMP_ARCH_AARCH64","SCMP_ARCH_ARM"])";
#else
constexpr std::string_view kArchitectures = "[]";
#endif

// Mounts, namespaces, modules, clocks, keys, memory of others, tracing of the kernel, raw hardware,
// io_uring; and relics that nothing needs. The names are the ones that Docker's documentation lists
// as blocked, and newer ones of the same kinds.
constexpr std::string_view kForbidden =
    R"(["acct","add_key","bpf","clock_adjtime","clock_adjtime64","clock_settime","clock_settime64","create_module",)"
    R"("delete_module","fanotify_init","finit_module","fsconfig","fsmount","fsopen","fspick","get_kernel_syms",)"
    R"("get_mempolicy","init_module","io_uring_enter","io_uring_register","io_uring_setup","ioperm","iopl","kcmp",)"
    R"("kexec_file_load","kexec_load","keyctl","lookup_dcookie","mbind","migrate_pages","mount","mount_setattr",)"
    R"("move_mount","move_pages","name_to_handle_at","nfsservctl","open_by_handle_at","open_tree","perf_event_open",)"
    R"("pivot_root","process_vm_readv","process_vm_writev","query_module","quotactl","quotactl_fd","reboot",)"
    R"("request_key","set_mempolicy","set_mempolicy_home_node","setdomainname","sethostname","setns","settimeofday",)"
    R"("stime","swapoff","swapon","_sysctl","sysfs","syslog","umount","umount2","unshare","uselib","userfaultfd",)"
    R"("ustat","vhangup","vm86","vm86old"])";

std::string forbid_all(std::string_view names, int error) {
  return formatted(R"({{"names":{},"action":"SCMP_ACT_ERRNO","errnoRet":{}}})", names, error);
}

struct Argument {
  int index;
  uint64_t mask;  // only these bits are compared
  uint64_t value;
};

std::string forbid(std::string_view name, Argument argument, int error) {
  return formatted(
      R"(,{{"names":["{}"],"action":"SCMP_ACT_ERRNO","errnoRet":{},)"
      R"("args":[{{"index":{},"value":{},"valueTwo":{},"op":"SCMP_CMP_MASKED_EQ"}}]}})",
      name, error, argument.index, argument.mask, argument.value);
}

}  // namespace

std::string try_seccomp() {
  constexpr uint64_t kLow = 0xffffffff;
  constexpr uint64_t kPushInput = 0x5412, kLinuxConsole = 0x541c;  // TIOCSTI, TIOCLINUX
  auto rules = forbid_all(kForbidden, EPERM);
  // The flags of clone3 are in memory, where a filter can not look: programs fall back to clone.
  rules += "," + forbid_all(R"(["clone3"])", ENOSYS);
  for (uint64_t flag : {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                        CLONE_NEWPID, CLONE_NEWNET}) {
    rules += forbid("clone", {0, flag, flag}, EPERM);
  }
  for (uint64_t request : {kPushInput, kLinuxConsole})
    rules += forbid("ioctl", {1, kLow, request}, EPERM);
  for (uint64_t family : {AF_ALG, AF_VSOCK}) rules += forbid("socket", {0, kLow, family}, EPERM);
  return formatted(R"({{"defaultAction":"SCMP_ACT_ALLOW","architectures":{},"syscalls":[{}]}})",
                   kArchitectures, rules);
}

}  // namespace berth::driver
