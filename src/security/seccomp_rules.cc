// SPDX-License-Identifier: Apache-2.0
#include "security/seccomp_rules.h"

#include <errno.h>
#include <linux/seccomp.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"

namespace berth::security {
namespace {

using spec::SeccompAction;
using spec::SeccompOperator;

constexpr uint32_t kArguments = 6;
constexpr uint32_t kMaxErrno = 4095;
constexpr uint32_t kMaxTraced = SECCOMP_RET_DATA;  // a tracer is told any 16 bits

uint32_t action_code(SeccompAction action) {
  switch (action) {
    case SeccompAction::KillThread: return SECCOMP_RET_KILL_THREAD;
    case SeccompAction::KillProcess: return SECCOMP_RET_KILL_PROCESS;
    case SeccompAction::Trap: return SECCOMP_RET_TRAP;
    case SeccompAction::Errno: return SECCOMP_RET_ERRNO;
    case SeccompAction::Trace: return SECCOMP_RET_TRACE;
    case SeccompAction::Allow: return SECCOMP_RET_ALLOW;
    case SeccompAction::Log: return SECCOMP_RET_LOG;
    case SeccompAction::Notify: return SECCOMP_RET_USER_NOTIF;
  }
  return SECCOMP_RET_KILL_PROCESS;
}

Result<uint32_t> read_action(SeccompAction action, const std::optional<uint32_t>& number) {
  const bool takes_number = action == SeccompAction::Errno || action == SeccompAction::Trace;
  if (number && !takes_number)
    return fail(ErrorKind::InvalidConfig, "an errno is given for a seccomp action that takes none");
  const uint32_t most = action == SeccompAction::Trace ? kMaxTraced : kMaxErrno;
  if (number && *number > most)
    return fail(ErrorKind::InvalidConfig, "seccomp: {} is more than {}", *number, most);
  return action_code(action) | (takes_number ? number.value_or(EPERM) : 0);
}

// As the default, these let a program that asks for a call it need not have fail or die; a call the
// author of the profile could not know is then answered as by an older kernel.
bool refuses(SeccompAction action) {
  return action != SeccompAction::Allow && action != SeccompAction::Log &&
         action != SeccompAction::Trace;
}

Result<Condition> read_condition(const spec::SeccompArg& arg) {
  if (arg.index >= kArguments)
    return fail(ErrorKind::InvalidConfig, "seccomp: there is no argument {}", arg.index);
  if (arg.op == SeccompOperator::MaskedEqual)
    return Condition{arg.index, arg.op, arg.value_two & arg.value, arg.value};
  return Condition{arg.index, arg.op, arg.value};
}

// Conditions on different arguments hold together; when an argument is named twice, each condition
// is a rule of its own, as runc has it.
Result<std::vector<Rule>> read_rule(uint32_t action, const std::vector<spec::SeccompArg>& args) {
  Rule all{action};
  bool twice = false;
  for (const spec::SeccompArg& arg : args) {
    for (const Condition& other : all.conditions) twice = twice || other.index == arg.index;
    all.conditions.push_back(TRY(read_condition(arg)));
  }
  std::vector<Rule> rules;
  if (twice) {
    for (const Condition& condition : all.conditions) rules.push_back({action, {condition}});
  } else {
    std::ranges::sort(all.conditions, {}, &Condition::index);
    rules.push_back(std::move(all));
  }
  return rules;
}

Result<> check_notify(const spec::Seccomp& profile, const spec::SeccompRule& rule) {
  if (profile.listener_path.empty())
    return fail(ErrorKind::InvalidConfig, "SCMP_ACT_NOTIFY needs a listenerPath");
  // The runtime itself would wait for the agent before the agent has the listener.
  if (std::ranges::find(rule.names, "write") != rule.names.end())
    return fail(ErrorKind::InvalidConfig, "SCMP_ACT_NOTIFY cannot be used for the write syscall");
  return {};
}

std::vector<int> read_names(const spec::SeccompRule& rule, Ruleset& into) {
  std::vector<int> syscalls;
  syscalls.reserve(rule.names.size());
  for (const std::string& name : rule.names) {
    if (const int syscall = find_syscall(name); syscall >= 0)
      syscalls.push_back(syscall);
    else
      into.unknown.push_back(name);
  }
  into.mentioned.insert(into.mentioned.end(), syscalls.begin(), syscalls.end());
  return syscalls;
}

Result<> add_rule(const spec::Seccomp& profile, const spec::SeccompRule& rule, Ruleset& into) {
  const uint32_t action = TRY(read_action(rule.action, rule.errno_ret));
  const bool notifies = rule.action == SeccompAction::Notify;
  if (notifies) TRY(check_notify(profile, rule));
  const auto expanded = TRY(read_rule(action, rule.args));
  const std::vector<int> syscalls = read_names(rule, into);
  if (action == into.default_action || syscalls.empty()) return {};

  into.notifies = into.notifies || notifies;
  const auto first = static_cast<uint32_t>(into.rules.size());
  into.rules.insert(into.rules.end(), expanded.begin(), expanded.end());
  for (const int syscall : syscalls)
    for (uint32_t i = 0; i < expanded.size(); ++i) into.named.push_back({syscall, first + i});
  return {};
}

}  // namespace

Result<Ruleset> read_rules(const spec::Seccomp& profile) {
  Ruleset rules;
  rules.default_action = TRY(read_action(profile.default_action, profile.default_errno_ret) |
                             at("/linux/seccomp/defaultAction"));
  if (profile.default_action == SeccompAction::Notify) {
    Result<> refused = fail(ErrorKind::InvalidConfig, "SCMP_ACT_NOTIFY cannot be the default");
    TRY(std::move(refused) | at("/linux/seccomp/defaultAction"));
  }
  rules.answers_enosys = refuses(profile.default_action);
  for (size_t i = 0; i < profile.rules.size(); ++i) {
    Result<> added = add_rule(profile, profile.rules[i], rules);
    if (!added) added.error().set_pointer(formatted("/linux/seccomp/syscalls/{}", i));
    TRY(std::move(added));
  }
  return rules;
}

uint32_t first_unheard(const Ruleset& rules, const Architecture& architecture) {
  if (!rules.answers_enosys) return 0;
  int64_t newest = -1;
  for (const int syscall : rules.mentioned) {
    const int64_t number = syscall_number(syscall, architecture);
    const bool is_private = architecture.abi == Abi::Arm && number >= kArmPrivate;
    if (!is_private) newest = std::max(newest, number);
  }
  return static_cast<uint32_t>(newest + 1);
}

}  // namespace berth::security
