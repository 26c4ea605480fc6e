// SPDX-License-Identifier: Apache-2.0
// The compiler against libseccomp 2.5.4. Where they differ on purpose:
// - calls newer than libseccomp's table (from 451 on, and uretprobe) are known to us;
// - ENOSYS for calls newer than the newest in the profile (runc's rule; the test adds it to
// libseccomp's answer);
// - conditional rules of one call: where libseccomp's merged trees answer something else than the
// profile read
//   literally (about 5 in a million cases made here), the definition decides
//   (support/seccomp_definition.h).
#include <errno.h>
#include <gtest/gtest.h>
#include <linux/seccomp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <random>
#include <sstream>

#include "../../support/bpf_interpreter.h"
#include "../../support/seccomp_definition.h"
#include "../../support/seccomp_oracle.h"
#include "json/value.h"
#include "security/seccomp_compiler.h"

// libseccomp 2.5.4 loses nodes of the trees that it merges.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() { return "leak:libseccomp"; }

namespace berth::security {
namespace {

using spec::SeccompAction;
using spec::SeccompOperator;
using test::OracleArchitecture;

constexpr uint32_t kFirstUnknownToLibrary = 451;
constexpr uint32_t kNumbers = 600;

bool library_is_too_old(const OracleArchitecture& architecture, uint32_t number) {
  const uint32_t plain = number - architecture.base;
  const bool probes = architecture.token == SCMP_ARCH_X86_64 && (plain == 335 || plain == 336);
  // It gives one pseudo number to two names that only ppc64 has.
  const bool confused = architecture.token == SCMP_ARCH_PPC64LE && (plain == 256 || plain == 363);
  return (plain >= kFirstUnknownToLibrary && plain <= 470) || probes || confused;
}

std::set<std::string> names_of(const spec::Seccomp& profile) {
  std::set<std::string> names;
  for (const auto& rule : profile.rules) names.insert(rule.names.begin(), rule.names.end());
  return names;
}

// The first number that runc would answer with ENOSYS; 0: none.
uint32_t first_unheard(const spec::Seccomp& profile, const OracleArchitecture& architecture) {
  if (profile.default_action == SeccompAction::Allow ||
      profile.default_action == SeccompAction::Log ||
      profile.default_action == SeccompAction::Trace)
    return 0;
  const auto names = names_of(profile);
  uint32_t first = 0;
  for (uint32_t n = 0; n < kNumbers; ++n) {
    const std::string name = test::oracle_name(architecture.token, architecture.base + n);
    if (names.contains(name)) first = architecture.base + n + 1;
  }
  return first;
}

std::vector<uint64_t> corners(const spec::Seccomp& profile) {
  std::set<uint64_t> values{0, 1, 2, UINT64_MAX};
  for (const auto& rule : profile.rules) {
    for (const auto& arg : rule.args) {
      for (const uint64_t value : {arg.value, arg.value_two}) {
        for (const uint64_t near :
             {value - 1, value, value + 1, value ^ uint64_t{0x100000000}, ~value})
          values.insert(near);
      }
    }
  }
  return {values.begin(), values.end()};
}

class Comparison {
 public:
  explicit Comparison(const spec::Seccomp& profile)
      : profile_(profile), corners_(corners(profile)), expected_(test::oracle_program(profile)) {
    auto compiled = compile_seccomp(profile);
    EXPECT_TRUE(compiled) << compiled.error().message();
    if (compiled) program_ = *std::move(compiled);
  }

  bool possible() const { return !expected_.empty(); }
  size_t asked() const { return asked_; }
  size_t library_differs() const { return library_differs_; }

  // The number of cases in which they differ.
  size_t run(std::mt19937_64& random, int tries) {
    for (const OracleArchitecture& architecture : test::kOracleArchitectures)
      compare_architecture(architecture, random, tries);
    return differences_;
  }

 private:
  bool listed(const OracleArchitecture& architecture) const {
    return architecture.token == SCMP_ARCH_X86_64 ||
           std::ranges::find(profile_.architectures, architecture.name) !=
               profile_.architectures.end();
  }

  void compare_architecture(const OracleArchitecture& architecture, std::mt19937_64& random,
                            int tries) {
    const uint32_t unheard = listed(architecture) ? first_unheard(profile_, architecture) : 0;
    std::vector<uint32_t> numbers;
    for (uint32_t n = 0; n < kNumbers; ++n) numbers.push_back(architecture.base + n);
    for (const uint32_t n : {0x0f0001U, 0x0f0002U, 0x0f0005U, 0x0f0006U, 0x3fffffffU, 0x7fffffffU})
      numbers.push_back(n);
    numbers.push_back(UINT32_MAX);
    for (const uint32_t number : numbers) {
      if (library_is_too_old(architecture, number) || !owns(architecture, number)) continue;
      for (int i = 0; i < tries; ++i) compare(architecture, number, unheard, random);
    }
  }

  // x86-64 and x32 share seccomp_data.arch; numbers with the bit are x32's where the profile has
  // it.
  bool owns(const OracleArchitecture& architecture, uint32_t number) const {
    if (architecture.token == SCMP_ARCH_X32)
      return number >= 0x40000000 && (listed(architecture) || number != UINT32_MAX);
    return architecture.token != SCMP_ARCH_X86_64 || number < 0x40000000 ||
           !listed(test::kOracleArchitectures[1]);
  }

  // Arm's own numbers are old ones. Without x32 its numbers are killed, whatever is unheard of on
  // x86-64.
  bool is_unheard(const OracleArchitecture& architecture, uint32_t number, uint32_t unheard) const {
    if (unheard == 0 || number < unheard) return false;
    if (architecture.token == SCMP_ARCH_ARM && number >= 0x0f0000) return false;
    return architecture.token != SCMP_ARCH_X86_64 || number < 0x40000000 || number == UINT32_MAX;
  }

  void compare(const OracleArchitecture& architecture, uint32_t number, uint32_t unheard,
               std::mt19937_64& random) {
    seccomp_data data{};
    data.arch = architecture.audit;
    data.nr = static_cast<int>(number);
    for (auto& arg : data.args) arg = corners_[random() % corners_.size()];
    const std::string name = test::oracle_name(architecture.token, static_cast<int>(number));
    const auto actual = test::run_bpf(program_.code, data);
    const bool unheard_of = is_unheard(architecture, number, unheard);
    ++asked_;
    const std::optional<uint32_t> enosys = SECCOMP_RET_ERRNO | ENOSYS;
    const auto expected = unheard_of ? enosys : test::run_bpf(expected_, data);
    if (actual == expected) return;
    ++library_differs_;
    if (is_conditional(name) && !unheard_of && actual &&
        test::SeccompDefinition(profile_, architecture, data).actions(name).contains(*actual))
      return;
    if (++differences_ > 5) return;
    print_rules(name);
    ADD_FAILURE() << architecture.name << " " << std::hex << number << " " << name << " ("
                  << data.args[0] << ", " << data.args[1] << ", " << data.args[2] << ", "
                  << data.args[3] << ", " << data.args[4] << ", " << data.args[5]
                  << "): " << actual.value_or(0xdead)
                  << ", libseccomp: " << expected.value_or(0xdead);
  }

  bool is_conditional(const std::string& name) const {
    if (name == "socketcall" || name == "ipc") return true;
    return std::ranges::any_of(profile_.rules, [&](const spec::SeccompRule& rule) {
      return !rule.args.empty() && std::ranges::find(rule.names, name) != rule.names.end();
    });
  }

  void print_rules(const std::string& name) const {
    for (const auto& rule : profile_.rules) {
      if (std::ranges::find(rule.names, name) == rule.names.end()) continue;
      std::printf("action %d:", static_cast<int>(rule.action));
      for (const auto& arg : rule.args)
        std::printf(" [a%u op %d %lx %lx]", arg.index, static_cast<int>(arg.op), arg.value,
                    arg.value_two);
      std::printf("\n");
    }
  }

  const spec::Seccomp& profile_;
  std::vector<uint64_t> corners_;
  std::vector<sock_filter> expected_;
  SeccompProgram program_;
  size_t asked_ = 0;
  size_t library_differs_ = 0;
  size_t differences_ = 0;
};

// ---- the profile of Debian's golang-github-containers-common, for a container without
// capabilities ----

SeccompAction action_of(std::string_view name) {
  return name == "SCMP_ACT_ALLOW" ? SeccompAction::Allow : SeccompAction::Errno;
}

SeccompOperator operator_of(std::string_view name) {
  if (name == "SCMP_CMP_NE") return SeccompOperator::NotEqual;
  if (name == "SCMP_CMP_MASKED_EQ") return SeccompOperator::MaskedEqual;
  EXPECT_EQ(name, "SCMP_CMP_EQ");
  return SeccompOperator::Equal;
}

bool names_x86_64(const json::Value* list) {
  return list && std::ranges::any_of(list->array(), [](const json::Value& each) {
           return each.string() == "amd64" || each.string() == "x32" || each.string() == "x86";
         });
}

// includes: capabilities or other architectures that are not there; excludes: ours.
bool applies(const json::Value& rule) {
  const json::Value* includes = rule.find("includes");
  const json::Value* excludes = rule.find("excludes");
  if (includes && includes->find("caps")) return false;
  if (includes && includes->find("arches") && !names_x86_64(includes->find("arches"))) return false;
  return !(excludes && names_x86_64(excludes->find("arches")));
}

spec::SeccompRule rule_of(const json::Value& rule) {
  spec::SeccompRule result;
  for (const auto& name : rule.find("names")->array()) result.names.emplace_back(name.string());
  result.action = action_of(rule.find("action")->string());
  if (const json::Value* number = rule.find("errnoRet");
      number && result.action == SeccompAction::Errno)
    result.errno_ret = static_cast<uint32_t>(number->unsigned_integer);
  const json::Value* args = rule.find("args");
  if (!args || args->kind != json::Value::Kind::Array) return result;
  for (const auto& arg : args->array())
    result.args.push_back({static_cast<uint32_t>(arg.find("index")->unsigned_integer),
                           arg.find("value")->unsigned_integer,
                           arg.find("valueTwo")->unsigned_integer,
                           operator_of(arg.find("op")->string())});
  return result;
}

std::optional<spec::Seccomp> default_profile() {
  std::ifstream file("/usr/share/containers/seccomp.json");
  if (!file) return {};
  std::stringstream text;
  text << file.rdbuf();
  const std::string whole = text.str();
  auto document = json::parse(whole);
  if (!document) return {};
  spec::Seccomp profile;
  profile.default_action = SeccompAction::Errno;
  profile.default_errno_ret = ENOSYS;
  profile.architectures = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"};
  for (const auto& rule : document->root().find("syscalls")->array())
    if (applies(rule)) profile.rules.push_back(rule_of(rule));
  return profile;
}

TEST(SeccompDifferential, DefaultProfile) {
  const auto profile = default_profile();
  if (!profile) GTEST_SKIP() << "no /usr/share/containers/seccomp.json";
  std::mt19937_64 random(1);
  Comparison comparison(*profile);
  ASSERT_TRUE(comparison.possible());
  EXPECT_EQ(comparison.run(random, 30), 0U);
  const auto before = std::chrono::steady_clock::now();
  size_t instructions = 0;
  constexpr int kRounds = 100;
  for (int i = 0; i < kRounds; ++i) instructions = compile_seccomp(*profile)->code.size();
  const std::chrono::duration<double, std::micro> spent = std::chrono::steady_clock::now() - before;
  RecordProperty("instructions", static_cast<int>(instructions));
  std::printf("%zu names, %zu instructions (libseccomp %zu), %.0f us, %zu cases\n",
              names_of(*profile).size(), instructions, test::oracle_program(*profile).size(),
              spent.count() / kRounds, comparison.asked());
  EXPECT_LT(instructions, 500U);
}

// ---- made profiles
// ----------------------------------------------------------------------------------------

class Maker {
 public:
  explicit Maker(uint64_t seed) : random_(seed) {
    for (const OracleArchitecture& each : test::kOracleArchitectures)
      for (uint32_t n = 0; n < kNumbers; ++n)
        if (auto name = test::oracle_name(each.token, each.base + n); !name.empty())
          names_.insert(name);
    all_.assign(names_.begin(), names_.end());
  }

  // involved: rules of one call with several conditions each.
  spec::Seccomp make(bool involved) {
    involved_ = involved;
    spec::Seccomp profile;
    profile.default_action = pick({SeccompAction::Allow, SeccompAction::Errno,
                                   SeccompAction::KillProcess, SeccompAction::Log});
    if (profile.default_action == SeccompAction::Errno && below(2))
      profile.default_errno_ret = below(5) + 1;
    for (const OracleArchitecture& each : test::kOracleArchitectures)
      if (below(2)) profile.architectures.emplace_back(each.name);
    for (size_t i = 0, count = 1 + below(6); i < count; ++i) add_plain(profile);
    for (size_t i = 0, count = below(5); i < count; ++i) add_conditional(profile);
    return profile;
  }

  std::mt19937_64& random() { return random_; }

 private:
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(random_() % bound); }
  template <typename T>
  T pick(std::initializer_list<T> list) {
    return list.begin()[below(static_cast<uint32_t>(list.size()))];
  }

  void add_plain(spec::Seccomp& profile) {
    spec::SeccompRule rule;
    for (size_t i = 0, count = 1 + below(60); i < count; ++i)
      rule.names.push_back(all_[below(static_cast<uint32_t>(all_.size()))]);
    set_action(rule);
    profile.rules.push_back(std::move(rule));
  }

  void set_action(spec::SeccompRule& rule) {
    rule.action =
        pick({SeccompAction::Allow, SeccompAction::Errno, SeccompAction::Trap, SeccompAction::Trace,
              SeccompAction::KillThread, SeccompAction::KillProcess, SeccompAction::Log});
    if (rule.action == SeccompAction::Errno && below(2)) rule.errno_ret = below(4096);
    if (rule.action == SeccompAction::Trace && below(2)) rule.errno_ret = below(65536);
  }

  // Several rules for the same call, one action.
  void add_conditional(spec::Seccomp& profile) {
    spec::SeccompRule rule;
    const char* const multiplexed[] = {"socket", "bind", "semop", "shmget", "accept4"};
    rule.names = {below(4) ? all_[below(static_cast<uint32_t>(all_.size()))]
                           : multiplexed[below(std::size(multiplexed))]};
    set_action(rule);
    const bool several = involved_ || below(2);
    for (size_t i = 0, count = several ? 1 + below(3) : 1; i < count; ++i) {
      rule.args.clear();
      for (size_t j = 0, args = several && !involved_ ? 1 : 1 + below(2); j < args; ++j)
        rule.args.push_back({below(6), value(), value(), static_cast<SeccompOperator>(below(7))});
      profile.rules.push_back(rule);
    }
  }

  uint64_t value() {
    return pick<uint64_t>(
        {0, 1, 5, 0xffffffff, 0x100000000, 0x500000007, random_(), random_() & 0xff});
  }

  bool involved_ = false;
  std::mt19937_64 random_;
  std::set<std::string> names_;
  std::vector<std::string> all_;
};

void compare_made(bool involved, uint64_t seed) {
  Maker maker(seed);
  size_t asked = 0;
  size_t library_differs = 0;
  int compared = 0;
  for (int i = 0; i < 30; ++i) {
    const spec::Seccomp profile = maker.make(involved);
    Comparison comparison(profile);
    if (!comparison.possible()) continue;
    ++compared;
    EXPECT_EQ(comparison.run(maker.random(), 3), 0U) << "profile " << i;
    asked += comparison.asked();
    library_differs += comparison.library_differs();
  }
  std::printf("%d profiles, %zu cases, libseccomp differs from the profile in %zu\n", compared,
              asked, library_differs);
  EXPECT_GT(compared, 15);
  EXPECT_LT(library_differs, asked / 1000);
}

TEST(SeccompDifferential, MadeProfiles) { compare_made(false, 20251124); }

TEST(SeccompDifferential, InvolvedProfiles) { compare_made(true, 20251125); }

}  // namespace
}  // namespace berth::security
