// SPDX-License-Identifier: Apache-2.0
#include "spec/fields.h"

namespace berth::spec {

using json::field;
using json::Field;
using enum json::Presence;

namespace {

template <typename Enum>
constexpr json::Name name(std::string_view text, Enum value) {
  return {text, static_cast<int>(value)};
}

}  // namespace

std::span<const json::Name> names(const SeccompAction*) {
  using enum SeccompAction;
  static constexpr json::Name kNames[] = {name("SCMP_ACT_KILL", KillThread),
                                          name("SCMP_ACT_KILL_THREAD", KillThread),
                                          name("SCMP_ACT_KILL_PROCESS", KillProcess),
                                          name("SCMP_ACT_TRAP", Trap),
                                          name("SCMP_ACT_ERRNO", Errno),
                                          name("SCMP_ACT_TRACE", Trace),
                                          name("SCMP_ACT_ALLOW", Allow),
                                          name("SCMP_ACT_LOG", Log),
                                          name("SCMP_ACT_NOTIFY", Notify)};
  return kNames;
}

std::span<const json::Name> names(const SeccompOperator*) {
  using enum SeccompOperator;
  static constexpr json::Name kNames[] = {
      name("SCMP_CMP_NE", NotEqual),          name("SCMP_CMP_LT", Less),
      name("SCMP_CMP_LE", LessOrEqual),       name("SCMP_CMP_EQ", Equal),
      name("SCMP_CMP_GE", GreaterOrEqual),    name("SCMP_CMP_GT", Greater),
      name("SCMP_CMP_MASKED_EQ", MaskedEqual)};
  return kNames;
}

std::span<const Field> fields(const SeccompArg*) {
  static constexpr Field kFields[] = {
      field<&SeccompArg::index>("index", Required),
      field<&SeccompArg::value>("value", Required),
      field<&SeccompArg::value_two>("valueTwo"),
      field<&SeccompArg::op>("op", Required),
  };
  return kFields;
}

std::span<const Field> fields(const SeccompRule*) {
  static constexpr Field kFields[] = {
      field<&SeccompRule::names>("names", Required),
      field<&SeccompRule::action>("action", Required),
      field<&SeccompRule::errno_ret>("errnoRet"),
      field<&SeccompRule::args>("args"),
  };
  return kFields;
}

std::span<const Field> fields(const Seccomp*) {
  static constexpr Field kFields[] = {
      field<&Seccomp::default_action>("defaultAction", Required),
      field<&Seccomp::default_errno_ret>("defaultErrnoRet"),
      field<&Seccomp::architectures>("architectures"),
      field<&Seccomp::flags>("flags"),
      field<&Seccomp::listener_path>("listenerPath"),
      field<&Seccomp::listener_metadata>("listenerMetadata"),
      field<&Seccomp::rules>("syscalls"),
  };
  return kFields;
}

}  // namespace berth::spec
