// SPDX-License-Identifier: Apache-2.0
// Bytes become a profile and system calls; the compiled program must answer what the profile says.
#include <fuzzer/FuzzedDataProvider.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cstdlib>
#include <optional>
#include <set>

#include "../support/bpf_interpreter.h"
#include "security/seccomp_compiler.h"

namespace {

using namespace berth;
using spec::SeccompAction;

struct Call {
  const char* name;
  int number;  // on x86-64
};
constexpr Call kCalls[] = {{"read", 0},     {"open", 2},    {"mmap", 9},    {"socket", 41},
                           {"clone", 56},   {"mkdir", 83},  {"prctl", 157}, {"openat", 257},
                           {"clone3", 435}, {"listns", 470}};

spec::SeccompArg make_arg(FuzzedDataProvider& bytes) {
  const auto op = static_cast<spec::SeccompOperator>(bytes.ConsumeIntegralInRange(0, 6));
  const auto index = bytes.ConsumeIntegralInRange<uint32_t>(0, 5);
  return {index, bytes.ConsumeIntegral<uint64_t>(), bytes.ConsumeIntegral<uint64_t>(), op};
}

// Every rule but the default's action has the same one, so that overlapping rules cannot disagree.
spec::Seccomp make_profile(FuzzedDataProvider& bytes) {
  spec::Seccomp profile;
  profile.default_action = bytes.ConsumeBool() ? SeccompAction::Allow : SeccompAction::Log;
  for (const char* name : {"SCMP_ARCH_X86", "SCMP_ARCH_X32", "SCMP_ARCH_AARCH64"})
    if (bytes.ConsumeBool()) profile.architectures.emplace_back(name);
  const int rules = bytes.ConsumeIntegralInRange(0, 40);
  for (int i = 0; i < rules; ++i) {
    spec::SeccompRule rule;
    rule.action = SeccompAction::Trap;
    const int names = bytes.ConsumeIntegralInRange(1, 3);
    for (int n = 0; n < names; ++n) rule.names.emplace_back(bytes.PickValueInArray(kCalls).name);
    const int args = bytes.ConsumeIntegralInRange(0, 4);
    for (int a = 0; a < args; ++a) rule.args.push_back(make_arg(bytes));
    profile.rules.push_back(std::move(rule));
  }
  return profile;
}

bool holds(const spec::SeccompArg& arg, const seccomp_data& data) {
  const uint64_t actual = data.args[arg.index];
  switch (arg.op) {
    case spec::SeccompOperator::NotEqual: return actual != arg.value;
    case spec::SeccompOperator::Less: return actual < arg.value;
    case spec::SeccompOperator::LessOrEqual: return actual <= arg.value;
    case spec::SeccompOperator::Equal: return actual == arg.value;
    case spec::SeccompOperator::GreaterOrEqual: return actual >= arg.value;
    case spec::SeccompOperator::Greater: return actual > arg.value;
    case spec::SeccompOperator::MaskedEqual:
      return (actual & arg.value) == (arg.value_two & arg.value);
  }
  return false;
}

bool holds(const spec::SeccompRule& rule, const seccomp_data& data) {
  std::set<uint32_t> indices;
  size_t held = 0;
  for (const auto& arg : rule.args) {
    indices.insert(arg.index);
    held += holds(arg, data);
  }
  return indices.size() < rule.args.size() ? held > 0 : held == rule.args.size();
}

uint32_t expected(const spec::Seccomp& profile, const Call& call, const seccomp_data& data) {
  for (const auto& rule : profile.rules)
    for (const std::string& name : rule.names)
      if (name == call.name && holds(rule, data)) return SECCOMP_RET_TRAP;
  return profile.default_action == SeccompAction::Allow ? SECCOMP_RET_ALLOW : SECCOMP_RET_LOG;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider bytes(data, size);
  const spec::Seccomp profile = make_profile(bytes);
  const auto program = security::compile_seccomp(profile);
  if (!program) return 0;  // too long for the kernel
  while (bytes.remaining_bytes() > 0) {
    const Call& call = kCalls[bytes.ConsumeIntegralInRange<size_t>(0, std::size(kCalls) - 1)];
    seccomp_data asked{};
    asked.arch = AUDIT_ARCH_X86_64;
    asked.nr = call.number;
    for (auto& arg : asked.args) {
      arg = bytes.ConsumeIntegral<uint64_t>();
      // Near what the profile compares with.
      if (!profile.rules.empty() && bytes.ConsumeBool()) {
        const auto& args = profile.rules[arg % profile.rules.size()].args;
        if (!args.empty()) arg = args[arg % args.size()].value + arg % 3 - 1;
      }
    }
    if (test::run_bpf(program->code, asked) != expected(profile, call, asked)) std::abort();
  }
  return 0;
}
