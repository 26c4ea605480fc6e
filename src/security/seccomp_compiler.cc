// SPDX-License-Identifier: Apache-2.0
#include "security/seccomp_compiler.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "security/raw_filter.h"
#include "security/seccomp_emit.h"
#include "spec/seccomp_names.h"

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV  // Linux 5.19
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace berth::security {
namespace {

constexpr uint32_t kLast = UINT32_MAX;

// The ranges of one architecture, grown from the left.
class RangeList {
 public:
  RangeList(const Ruleset& rules, std::vector<Range>& ranges) : rules_(rules), ranges_(ranges) {}

  // All numbers of one architecture from `from` to `to`, both included.
  void add(const Architecture& architecture, uint32_t from, uint32_t to) {
    unheard_ = first_unheard(rules_, architecture);
    last_unheard_ = architecture.abi == Abi::Arm ? kArmPrivate - 1 : to;
    uint32_t next = from;
    decide(rules_, architecture, [&](uint32_t number, Decision decision) {
      if (number > next) add_rest(next, number - 1);
      append(number, std::move(decision));
      next = number + 1;
    });
    add_rest(next, to);
  }

  void append(uint32_t first, Decision decision) {
    const bool same = !ranges_.empty() && ranges_.back().decision == decision;
    if (!same) ranges_.push_back({first, std::move(decision)});
  }

 private:
  // Numbers of which the profile says nothing.
  void add_rest(uint32_t from, uint32_t to) {
    if (unheard_ == 0 || from < unheard_) append(from, {rules_.default_action});
    if (unheard_ == 0) return;
    if (to >= unheard_ && from <= last_unheard_)
      append(std::max(from, unheard_), {SECCOMP_RET_ERRNO | ENOSYS});
    if (to > last_unheard_) append(std::max(from, last_unheard_ + 1), {rules_.default_action});
  }

  const Ruleset& rules_;
  std::vector<Range>& ranges_;
  uint32_t unheard_ = 0;  // ENOSYS from here on; 0: nowhere
  uint32_t last_unheard_ = 0;
};

// x86-64 and x32 share one value of seccomp_data.arch; the number tells them apart.
Block make_x86_64_block(const Ruleset& rules, const Architecture* narrow) {
  Block block{AUDIT_ARCH_X86_64, false, {}, kX32Bit};
  RangeList list(rules, block.ranges);
  const Architecture& wide = *find_architecture("SCMP_ARCH_X86_64");
  list.add(wide, 0, kX32Bit - 1);
  if (narrow) {
    list.add(*narrow, kX32Bit, kLast);
  } else {
    list.append(kX32Bit, {SECCOMP_RET_KILL_THREAD});
    // A tracer's way to have a call skipped.
    const bool enosys = first_unheard(rules, wide) != 0;
    list.append(kLast, {enosys ? SECCOMP_RET_ERRNO | ENOSYS : rules.default_action});
  }
  return block;
}

Block make_block(const Ruleset& rules, const Architecture& architecture) {
  Block block{architecture.audit, architecture.big_endian, {}, architecture.wide ? kLast : 0};
  RangeList(rules, block.ranges).add(architecture, 0, kLast);
  return block;
}

// Those of the profile that this kernel can run, the native one first.
Result<std::vector<const Architecture*>> choose_architectures(const spec::Seccomp& profile) {
  const Architecture& native = native_architecture();
  std::vector<const Architecture*> chosen{&native};
  for (size_t i = 0; i < profile.architectures.size(); ++i) {
    const Architecture* found = find_architecture(profile.architectures[i]);
    if (!found) {
      Result<> unknown = fail(ErrorKind::InvalidConfig, "unknown seccomp architecture {}",
                              profile.architectures[i]);
      unknown.error().set_pointer(formatted("/linux/seccomp/architectures/{}", i));
      TRY(std::move(unknown));
    }
    const bool possible = found->abi != Abi::None && found->big_endian == native.big_endian;
    if (possible && std::ranges::find(chosen, found) == chosen.end()) chosen.push_back(found);
  }
  return chosen;
}

std::vector<Block> make_blocks(const Ruleset& rules,
                               const std::vector<const Architecture*>& architectures) {
  const auto x32 = std::ranges::find(architectures, Abi::X32, &Architecture::abi);
  std::vector<Block> blocks;
  for (const Architecture* each : architectures) {
    if (each->abi == Abi::X86_64)
      blocks.push_back(make_x86_64_block(rules, x32 == architectures.end() ? nullptr : *x32));
    else if (each->abi != Abi::X32)
      blocks.push_back(make_block(rules, *each));
  }
  return blocks;
}

Result<unsigned> read_flags(const spec::Seccomp& profile, bool notifies) {
  unsigned flags = notifies ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0;
  if (!profile.flags) return flags | SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  for (const std::string& flag : *profile.flags) {
    if (flag == "SECCOMP_FILTER_FLAG_LOG") {
      flags |= SECCOMP_FILTER_FLAG_LOG;
    } else if (flag == "SECCOMP_FILTER_FLAG_SPEC_ALLOW") {
      flags |= SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    } else if (flag == "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV") {
      // The kernel refuses it without a listener.
      if (notifies) flags |= SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
    } else if (flag != "SECCOMP_FILTER_FLAG_TSYNC") {
      // TSYNC: the process that loads the filter has one thread, and the kernel refuses it with a
      // listener.
      return fail(ErrorKind::InvalidConfig, "unknown seccomp flag {}", flag);
    }
  }
  return flags;
}

}  // namespace

Result<SeccompProgram> compile_seccomp(const spec::Seccomp& profile) {
  Ruleset rules = TRY(read_rules(profile));
  const auto architectures = TRY(choose_architectures(profile));
  SeccompProgram program;
  program.flags = TRY(read_flags(profile, rules.notifies) | at("/linux/seccomp/flags"));
  program.wants_listener = rules.notifies;
  program.code = Emitter().emit(make_blocks(rules, architectures));
  program.unknown_syscalls = std::move(rules.unknown);
  if (program.code.size() > BPF_MAXINSNS) {
    Result<> too_long = fail(ErrorKind::InvalidConfig,
                             "the seccomp profile needs {} instructions; the kernel takes {}",
                             program.code.size(), BPF_MAXINSNS);
    TRY(std::move(too_long) | at("/linux/seccomp"));
  }
  return program;
}

Result<SeccompProgram> compile_seccomp(const spec::Spec& spec) {
  SeccompProgram program;
  if (const auto& profile = spec.platform.seccomp)
    program = TRY(compile_seccomp(*profile) | at("/linux/seccomp"));
  if (const std::string* added = spec::added_filter(spec)) {
    program.added =
        TRY(read_raw_filter(*added) | at(formatted("/annotations/{}", spec::kFilterAnnotation)));
  }
  return program;
}

}  // namespace berth::security
