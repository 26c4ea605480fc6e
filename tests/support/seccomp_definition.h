// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/seccomp.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "seccomp_oracle.h"
#include "spec/spec.h"

namespace berth::test {

// The profile read literally, one rule after the other: the referee when two compilers differ.
class SeccompDefinition {
 public:
  SeccompDefinition(const spec::Seccomp& profile, const OracleArchitecture& architecture,
                    const seccomp_data& data)
      : profile_(profile), architecture_(architecture), data_(data) {}

  // Every action that the profile gives for this call of that name; several where rules overlap.
  std::set<uint32_t> actions(const std::string& name) const {
    std::optional<uint32_t> always;
    std::set<uint32_t> held;
    for (const auto& rule : profile_.rules) {
      const uint32_t action = oracle_action(rule.action, rule.errno_ret);
      if (action == fallback()) continue;
      for (const std::string& named : rule.names) {
        const int call = named == name ? 0 : multiplexed_call(named, name);
        if (call < 0) continue;
        if (call == 0 && vacuous(rule) && !always) always = action;
        if (holds(rule, static_cast<uint32_t>(call))) held.insert(action);
      }
    }
    if (always) return {*always};
    return held.empty() ? std::set<uint32_t>{fallback()} : held;
  }

 private:
  bool narrow() const { return (architecture_.token & 0x80000000) == 0 || is_n32(); }
  bool is_n32() const { return architecture_.token == SCMP_ARCH_MIPSEL64N32; }
  uint64_t cut(uint64_t value) const { return narrow() ? value & UINT32_MAX : value; }
  uint32_t fallback() const {
    return oracle_action(profile_.default_action, profile_.default_errno_ret);
  }

  // named is reached by that call of socketcall(2) or ipc(2); -1: it is not.
  int multiplexed_call(std::string_view named, std::string_view name) const {
    constexpr const char* kSockets[] = {
        "socket",     "bind",    "connect", "listen",  "accept",   "getsockname", "getpeername",
        "socketpair", "send",    "recv",    "sendto",  "recvfrom", "shutdown",    "setsockopt",
        "getsockopt", "sendmsg", "recvmsg", "accept4", "recvmmsg", "sendmmsg"};
    constexpr const char* kIpc[] = {"semop",  "semget", "semctl", "semtimedop", "",       "",
                                    "",       "",       "",       "",           "msgsnd", "msgrcv",
                                    "msgget", "msgctl", "",       "",           "",       "",
                                    "",       "",       "shmat",  "shmdt",      "shmget", "shmctl"};
    const bool has = architecture_.token == SCMP_ARCH_X86 ||
                     architecture_.token == SCMP_ARCH_MIPSEL ||
                     architecture_.token == SCMP_ARCH_PPC64LE;
    int call = 0;
    if (has && name == "socketcall")
      for (const char* each : kSockets)
        if (++call; named == each) return call;
    call = 0;
    if (has && name == "ipc")
      for (const char* each : kIpc)
        if (++call; named == each) return call;
    return -1;
  }

  bool holds(const spec::SeccompArg& arg) const {
    const uint64_t actual = cut(data_.args[arg.index]);
    const uint64_t value = cut(arg.value);
    switch (arg.op) {
      case spec::SeccompOperator::NotEqual: return actual != value;
      case spec::SeccompOperator::Less: return actual < value;
      case spec::SeccompOperator::LessOrEqual: return actual <= value;
      case spec::SeccompOperator::Equal: return actual == value;
      case spec::SeccompOperator::GreaterOrEqual: return actual >= value;
      case spec::SeccompOperator::Greater: return actual > value;
      case spec::SeccompOperator::MaskedEqual: return (actual & value) == (arg.value_two & value);
    }
    return false;
  }

  bool vacuous(const spec::SeccompRule& rule) const {
    bool all = true;
    for (const auto& arg : rule.args)
      all = all && arg.op == spec::SeccompOperator::MaskedEqual && cut(arg.value) == 0;
    return all;
  }

  static bool repeats(const spec::SeccompRule& rule) {
    std::set<uint32_t> indices;
    for (const auto& arg : rule.args) indices.insert(arg.index);
    return indices.size() != rule.args.size();
  }

  // call != 0: the first argument is the call's, and what the profile says of it cannot be seen.
  bool holds(const spec::SeccompRule& rule, uint32_t call) const {
    if (call != 0 && cut(data_.args[0]) != call) return false;
    const bool any = repeats(rule);
    bool all_hold = true;
    bool one_holds = false;
    for (const auto& arg : rule.args) {
      const bool now = (call != 0 && arg.index == 0) || holds(arg);
      all_hold = all_hold && now;
      one_holds = one_holds || now;
    }
    return any ? one_holds : all_hold;
  }

  const spec::Seccomp& profile_;
  const OracleArchitecture& architecture_;
  const seccomp_data& data_;
};

}  // namespace berth::test
