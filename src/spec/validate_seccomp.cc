// SPDX-License-Identifier: Apache-2.0
#include <linux/seccomp.h>

#include <algorithm>

#include "berth/try.h"
#include "spec/seccomp_names.h"
#include "spec/validate.h"

namespace berth::spec {
namespace {

constexpr std::string_view kArchitectures[] = {
    "SCMP_ARCH_AARCH64",  "SCMP_ARCH_ARM",         "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K",
    "SCMP_ARCH_MIPS",     "SCMP_ARCH_MIPS64",      "SCMP_ARCH_MIPS64N32",   "SCMP_ARCH_MIPSEL",
    "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC",      "SCMP_ARCH_PARISC64",
    "SCMP_ARCH_PPC",      "SCMP_ARCH_PPC64",       "SCMP_ARCH_PPC64LE",     "SCMP_ARCH_RISCV64",
    "SCMP_ARCH_S390",     "SCMP_ARCH_S390X",       "SCMP_ARCH_SH",          "SCMP_ARCH_SHEB",
    "SCMP_ARCH_X32",      "SCMP_ARCH_X86",         "SCMP_ARCH_X86_64"};
constexpr json::Name kFlags[] = {
    {"SECCOMP_FILTER_FLAG_LOG", SECCOMP_FILTER_FLAG_LOG},
    {"SECCOMP_FILTER_FLAG_SPEC_ALLOW", SECCOMP_FILTER_FLAG_SPEC_ALLOW},
    {"SECCOMP_FILTER_FLAG_TSYNC", SECCOMP_FILTER_FLAG_TSYNC},
    {"SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV", SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV}};
static_assert(std::ranges::is_sorted(kArchitectures) &&
              std::ranges::is_sorted(kFlags, {}, &json::Name::text));

// What the 16 bits beside an action can carry: an errno up to MAX_ERRNO, or any number for a
// tracer.
Result<> errno_fits(SeccompAction action, std::optional<uint32_t> value, std::string_view pointer) {
  if (!value) return {};
  const bool takes = action == SeccompAction::Errno || action == SeccompAction::Trace;
  if (!takes) return invalid(pointer, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE take a number");
  const uint32_t most = action == SeccompAction::Errno ? 4095 : 65535;
  if (*value > most) return invalid(pointer, "must be at most {}", most);
  return {};
}

constexpr std::string_view text_of(std::string_view text) { return text; }
constexpr std::string_view text_of(const json::Name& name) { return name.text; }

template <typename Known>
Result<> are_known(const std::vector<std::string>& words, const Known& known,
                   std::string_view pointer) {
  for (size_t i = 0; i < words.size(); ++i) {
    if (std::ranges::any_of(known, [&](const auto& each) { return text_of(each) == words[i]; }))
      continue;
    return invalid(formatted("{}/{}", pointer, i), "unknown value \"{}\"", words[i]);
  }
  return {};
}

Result<> notification_can_be_heard(const Seccomp& seccomp, const SeccompRule& rule, size_t index) {
  if (rule.action != SeccompAction::Notify) return {};
  if (seccomp.listener_path.empty()) {
    return invalid(formatted("/linux/seccomp/syscalls/{}/action", index),
                   "SCMP_ACT_NOTIFY needs a listenerPath");
  }
  // The descriptor could not be handed over any more.
  if (std::ranges::find(rule.names, "write") != rule.names.end()) {
    return invalid(formatted("/linux/seccomp/syscalls/{}/action", index),
                   "SCMP_ACT_NOTIFY cannot be used for the write syscall");
  }
  return {};
}

Result<> rule_is_sound(const Seccomp& seccomp, size_t index) {
  const SeccompRule& rule = seccomp.rules[index];
  if (rule.names.empty())
    return invalid(formatted("/linux/seccomp/syscalls/{}/names", index), "must not be empty");
  for (const std::string& name : rule.names) {
    if (name.empty())
      return invalid(formatted("/linux/seccomp/syscalls/{}/names", index), "has an empty name");
  }
  for (size_t i = 0; i < rule.args.size(); ++i) {
    if (rule.args[i].index <= 5) continue;
    return invalid(formatted("/linux/seccomp/syscalls/{}/args/{}/index", index, i),
                   "must be from 0 to 5");
  }
  TRY(notification_can_be_heard(seccomp, rule, index));
  if (!rule.errno_ret) return {};
  return errno_fits(rule.action, rule.errno_ret,
                    formatted("/linux/seccomp/syscalls/{}/errnoRet", index));
}

}  // namespace

std::span<const std::string_view> seccomp_architectures() { return kArchitectures; }
std::span<const json::Name> seccomp_flags() { return kFlags; }

const std::string* added_filter(const Spec& spec) {
  const auto found =
      std::ranges::find(spec.annotations, kFilterAnnotation, &StringMap::value_type::first);
  return found == spec.annotations.end() ? nullptr : &found->second;
}

Result<> validate_seccomp(const Seccomp& seccomp) {
  if (seccomp.default_action == SeccompAction::Notify) {
    return invalid("/linux/seccomp/defaultAction", "SCMP_ACT_NOTIFY cannot be the default");
  }
  TRY(errno_fits(seccomp.default_action, seccomp.default_errno_ret,
                 "/linux/seccomp/defaultErrnoRet"));
  TRY(are_known(seccomp.architectures, kArchitectures, "/linux/seccomp/architectures"));
  if (seccomp.flags) TRY(are_known(*seccomp.flags, kFlags, "/linux/seccomp/flags"));
  if (seccomp.listener_path.empty() && !seccomp.listener_metadata.empty()) {
    return invalid("/linux/seccomp/listenerMetadata", "needs a listenerPath");
  }
  for (size_t i = 0; i < seccomp.rules.size(); ++i) TRY(rule_is_sound(seccomp, i));
  return {};
}

}  // namespace berth::spec
