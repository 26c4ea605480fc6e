// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "spec/spec.h"

namespace berth::test {

struct OracleArchitecture {
  const char* name;
  uint32_t token;
  uint32_t audit;
  uint32_t base;
};

// Those of this machine's byte order: libseccomp refuses to mix, the compiler leaves the others
// out.
inline constexpr OracleArchitecture kOracleArchitectures[] = {
    {"SCMP_ARCH_X86_64", SCMP_ARCH_X86_64, SCMP_ARCH_X86_64, 0},
    {"SCMP_ARCH_X32", SCMP_ARCH_X32, SCMP_ARCH_X86_64, 0x40000000},
    {"SCMP_ARCH_X86", SCMP_ARCH_X86, SCMP_ARCH_X86, 0},
    {"SCMP_ARCH_ARM", SCMP_ARCH_ARM, SCMP_ARCH_ARM, 0},
    {"SCMP_ARCH_AARCH64", SCMP_ARCH_AARCH64, SCMP_ARCH_AARCH64, 0},
    {"SCMP_ARCH_MIPSEL", SCMP_ARCH_MIPSEL, SCMP_ARCH_MIPSEL, 4000},
    {"SCMP_ARCH_MIPSEL64", SCMP_ARCH_MIPSEL64, SCMP_ARCH_MIPSEL64, 5000},
    {"SCMP_ARCH_MIPSEL64N32", SCMP_ARCH_MIPSEL64N32, SCMP_ARCH_MIPSEL64N32, 6000},
    {"SCMP_ARCH_PPC64LE", SCMP_ARCH_PPC64LE, SCMP_ARCH_PPC64LE, 0},
    {"SCMP_ARCH_RISCV64", SCMP_ARCH_RISCV64, SCMP_ARCH_RISCV64, 0},
};

inline uint32_t oracle_action(spec::SeccompAction action, std::optional<uint32_t> number) {
  switch (action) {
    case spec::SeccompAction::KillThread: return SCMP_ACT_KILL_THREAD;
    case spec::SeccompAction::KillProcess: return SCMP_ACT_KILL_PROCESS;
    case spec::SeccompAction::Trap: return SCMP_ACT_TRAP;
    case spec::SeccompAction::Errno: return SCMP_ACT_ERRNO(number.value_or(1));
    case spec::SeccompAction::Trace: return SCMP_ACT_TRACE(number.value_or(1));
    case spec::SeccompAction::Allow: return SCMP_ACT_ALLOW;
    case spec::SeccompAction::Log: return SCMP_ACT_LOG;
    case spec::SeccompAction::Notify: return SCMP_ACT_NOTIFY;
  }
  return SCMP_ACT_KILL_PROCESS;
}

inline scmp_arg_cmp oracle_condition(const spec::SeccompArg& arg) {
  constexpr scmp_compare kOperators[] = {SCMP_CMP_NE, SCMP_CMP_LT, SCMP_CMP_LE,       SCMP_CMP_EQ,
                                         SCMP_CMP_GE, SCMP_CMP_GT, SCMP_CMP_MASKED_EQ};
  return {arg.index, kOperators[static_cast<int>(arg.op)], arg.value, arg.value_two};
}

inline int oracle_add(scmp_filter_ctx filter, const spec::SeccompRule& rule, uint32_t fallback) {
  const uint32_t action = oracle_action(rule.action, rule.errno_ret);
  if (action == fallback) return 0;
  std::vector<scmp_arg_cmp> all;
  std::set<uint32_t> indices;
  for (const auto& arg : rule.args) {
    all.push_back(oracle_condition(arg));
    indices.insert(arg.index);
  }
  const auto size = static_cast<unsigned>(all.size());
  for (const std::string& name : rule.names) {
    const int number = seccomp_syscall_resolve_name(name.c_str());
    if (number == __NR_SCMP_ERROR) continue;
    if (indices.size() == size) {
      if (const int rc = seccomp_rule_add_array(filter, action, number, size, all.data()))
        return rc;
      continue;
    }
    for (const scmp_arg_cmp& one : all)
      if (const int rc = seccomp_rule_add_array(filter, action, number, 1, &one)) return rc;
  }
  return 0;
}

// libseccomp's program for the same profile; empty when it refuses the profile (rules that
// contradict).
inline std::vector<sock_filter> oracle_program(const spec::Seccomp& profile) {
  const uint32_t fallback = oracle_action(profile.default_action, profile.default_errno_ret);
  scmp_filter_ctx filter = seccomp_init(fallback);
  for (const auto& each : kOracleArchitectures)
    for (const std::string& name : profile.architectures)
      if (name == each.name) seccomp_arch_add(filter, each.token);
  int rc = 0;
  for (const auto& rule : profile.rules)
    if (rc == 0) rc = oracle_add(filter, rule, fallback);
  std::vector<sock_filter> code;
  const int fd = memfd_create("bpf", MFD_CLOEXEC);
  if (rc == 0 && seccomp_export_bpf(filter, fd) == 0) {
    code.resize(static_cast<size_t>(lseek(fd, 0, SEEK_END)) / sizeof(sock_filter));
    if (pread(fd, code.data(), code.size() * sizeof(sock_filter), 0) < 0) code.clear();
  }
  close(fd);
  seccomp_release(filter);
  return code;
}

// What libseccomp calls that number there, or "".
inline std::string oracle_name(uint32_t token, int number) {
  char* name = seccomp_syscall_resolve_num_arch(token, number);
  std::string text = name ? name : "";
  std::free(name);
  return text;
}

}  // namespace berth::test
