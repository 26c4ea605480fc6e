// SPDX-License-Identifier: Apache-2.0
#include "security/seccomp_compiler.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>

#include "../../support/bpf_interpreter.h"

namespace berth::security {
namespace {

using spec::SeccompAction;
using spec::SeccompOperator;

spec::Seccomp profile_of(SeccompAction fallback, std::vector<spec::SeccompRule> rules) {
  spec::Seccomp profile;
  profile.default_action = fallback;
  profile.rules = std::move(rules);
  return profile;
}

uint32_t ask(const SeccompProgram& program, uint32_t arch, uint32_t number,
             std::vector<uint64_t> args = {}) {
  seccomp_data data{};
  data.arch = arch;
  data.nr = static_cast<int>(number);
  for (size_t i = 0; i < args.size(); ++i) data.args[i] = args[i];
  return test::run_bpf(program.code, data).value_or(0xdead);
}

uint32_t ask(const SeccompProgram& program, uint32_t number, std::vector<uint64_t> args = {}) {
  return ask(program, AUDIT_ARCH_X86_64, number, std::move(args));
}

SeccompProgram compiled(const spec::Seccomp& profile) {
  auto program = compile_seccomp(profile);
  EXPECT_TRUE(program) << program.error().message();
  return program ? *std::move(program) : SeccompProgram{};
}

TEST(Seccomp, RefusesWithTheErrnoOfTheRule) {
  const auto program =
      compiled(profile_of(SeccompAction::Allow, {{{"mkdir"}, SeccompAction::Errno, {}, {}},
                                                 {{"rmdir"}, SeccompAction::Errno, EBUSY, {}}}));
  EXPECT_EQ(ask(program, SYS_mkdir), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(ask(program, SYS_rmdir), SECCOMP_RET_ERRNO | EBUSY);
  EXPECT_EQ(ask(program, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, 100000), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, KillsWhatIsOfAnotherArchitecture) {
  const auto program =
      compiled(profile_of(SeccompAction::Allow, {{{"mkdir"}, SeccompAction::Errno, {}, {}}}));
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 39), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(ask(program, SYS_read | 0x40000000U), SECCOMP_RET_KILL_THREAD);
  EXPECT_EQ(ask(program, UINT32_MAX), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, AnswersEnosysToWhatIsNewerThanTheProfile) {
  const std::vector<spec::SeccompRule> rules = {{{"read", "openat2"}, SeccompAction::Allow, {}, {}},
                                                {{"pidfd_getfd"}, SeccompAction::Errno, {}, {}}};
  const auto refusing = compiled(profile_of(SeccompAction::Errno, rules));
  EXPECT_EQ(ask(refusing, SYS_read), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(refusing, SYS_write), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(ask(refusing, SYS_pidfd_getfd), SECCOMP_RET_ERRNO | EPERM);
  EXPECT_EQ(ask(refusing, SYS_pidfd_getfd + 1), SECCOMP_RET_ERRNO | ENOSYS);
  const auto killing = compiled(profile_of(SeccompAction::KillProcess, rules));
  EXPECT_EQ(ask(killing, SYS_write), SECCOMP_RET_KILL_PROCESS);
  EXPECT_EQ(ask(killing, 470), SECCOMP_RET_ERRNO | ENOSYS);
  const auto logging = compiled(profile_of(SeccompAction::Log, rules));
  EXPECT_EQ(ask(logging, 470), SECCOMP_RET_LOG);
}

TEST(Seccomp, ComparesSixtyFourBits) {
  struct Row {
    SeccompOperator op;
    uint64_t value, value_two, argument;
    bool holds;
  };
  using enum SeccompOperator;
  constexpr uint64_t kBig = 0x500000003;
  for (const Row& row :
       {Row{Equal, kBig, 0, kBig, true}, Row{Equal, kBig, 0, 3, false},
        Row{NotEqual, kBig, 0, kBig, false}, Row{NotEqual, kBig, 0, 3, true},
        Row{Less, kBig, 0, kBig - 1, true}, Row{Less, kBig, 0, kBig, false},
        Row{Less, kBig, 0, 0x4ffffffff, true}, Row{LessOrEqual, kBig, 0, kBig, true},
        Row{LessOrEqual, kBig, 0, kBig + 1, false}, Row{Greater, kBig, 0, 0x600000000, true},
        Row{Greater, kBig, 0, kBig, false}, Row{GreaterOrEqual, kBig, 0, kBig, true},
        Row{GreaterOrEqual, kBig, 0, 0x4ffffffff, false},
        Row{MaskedEqual, 0xf0000000f, kBig, 0x5000000f3, true},
        Row{MaskedEqual, 0xf0000000f, kBig, 0x4000000f3, false},
        Row{MaskedEqual, 0, 0, 77, true}}) {
    const auto program = compiled(
        profile_of(SeccompAction::Allow,
                   {{{"read"}, SeccompAction::Trap, {}, {{2, row.value, row.value_two, row.op}}}}));
    EXPECT_EQ(ask(program, SYS_read, {0, 0, row.argument}) == SECCOMP_RET_TRAP, row.holds)
        << static_cast<int>(row.op) << " " << row.argument;
  }
}

TEST(Seccomp, JoinsConditionsUnlessTheyAreOfOneArgument) {
  const auto both = compiled(
      profile_of(SeccompAction::Allow, {{{"read"}, SeccompAction::Trap, {}, {{1, 2}, {0, 1}}}}));
  EXPECT_EQ(ask(both, SYS_read, {1, 2}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(both, SYS_read, {1, 3}), SECCOMP_RET_ALLOW);
  const auto either = compiled(profile_of(
      SeccompAction::Allow, {{{"read"}, SeccompAction::Trap, {}, {{0, 1}, {0, 2}, {1, 9}}}}));
  EXPECT_EQ(ask(either, SYS_read, {1, 0}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(either, SYS_read, {2, 0}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(either, SYS_read, {3, 9}), SECCOMP_RET_TRAP);
  EXPECT_EQ(ask(either, SYS_read, {3, 0}), SECCOMP_RET_ALLOW);
}

TEST(Seccomp, ReachesMultiplexedCalls) {
  auto profile =
      profile_of(SeccompAction::Allow, {{{"socket", "semop"}, SeccompAction::Errno, {}, {}}});
  profile.architectures = {"SCMP_ARCH_X86"};
  const auto program = compiled(profile);
  constexpr uint32_t kRefused = SECCOMP_RET_ERRNO | EPERM;
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 359), kRefused);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 102, {1}), kRefused);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 102, {2}), SECCOMP_RET_ALLOW);
  EXPECT_EQ(ask(program, AUDIT_ARCH_I386, 117, {1}), kRefused);
}

TEST(Seccomp, ReportsUnknownNamesAndSkipsThem) {
  const auto program = compiled(profile_of(
      SeccompAction::Allow, {{{"no_such_call", "mkdir"}, SeccompAction::Errno, {}, {}}}));
  EXPECT_EQ(program.unknown_syscalls, std::vector<std::string>{"no_such_call"});
  EXPECT_EQ(ask(program, SYS_mkdir), SECCOMP_RET_ERRNO | EPERM);
}

TEST(Seccomp, GivesTheFlags) {
  auto profile = profile_of(SeccompAction::Allow, {});
  EXPECT_EQ(compiled(profile).flags, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
  profile.flags.emplace();
  EXPECT_EQ(compiled(profile).flags, 0U);
  profile.flags = {"SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_TSYNC",
                   "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};
  EXPECT_EQ(compiled(profile).flags, SECCOMP_FILTER_FLAG_LOG);
  profile.rules = {{{"mkdir"}, SeccompAction::Notify, {}, {}}};
  profile.listener_path = "/run/agent";
  const auto program = compiled(profile);
  EXPECT_TRUE(program.wants_listener);
  EXPECT_EQ(program.flags, SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_NEW_LISTENER | (1U << 5));
}

TEST(Seccomp, RefusesWhatCannotBeMeant) {
  struct Row {
    spec::Seccomp profile;
    std::string pointer;
  };
  std::vector<Row> rows;
  const auto add = [&](SeccompAction fallback, spec::SeccompRule rule) {
    rows.push_back({profile_of(fallback, {std::move(rule)}), "/linux/seccomp/syscalls/0"});
    return &rows.back().profile;
  };
  add(SeccompAction::Allow, {{"mkdir"}, SeccompAction::Notify, {}, {}});
  add(SeccompAction::Allow, {{"write"}, SeccompAction::Notify, {}, {}})->listener_path = "/a";
  add(SeccompAction::Errno, {{"read"}, SeccompAction::Allow, EPERM, {}});
  add(SeccompAction::Errno, {{"read"}, SeccompAction::Allow, {}, {{6, 1}}});
  rows.push_back({profile_of(SeccompAction::Notify, {}), "/linux/seccomp/defaultAction"});
  rows.push_back({profile_of(SeccompAction::Allow, {}), "/linux/seccomp/architectures/0"});
  rows.back().profile.architectures = {"SCMP_ARCH_VAX"};
  rows.push_back({profile_of(SeccompAction::Allow, {}), "/linux/seccomp/flags"});
  rows.back().profile.flags = {"SECCOMP_FILTER_FLAG_NICE"};
  for (const Row& row : rows) {
    const auto program = compile_seccomp(row.profile);
    ASSERT_FALSE(program) << row.pointer;
    EXPECT_EQ(program.error().kind(), ErrorKind::InvalidConfig);
    EXPECT_EQ(program.error().pointer(), row.pointer);
  }
}

}  // namespace
}  // namespace berth::security
