// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/capability.h>

#include "plan/make_plan.h"
#include "spec/capability_names.h"

namespace berth::plan {
namespace {

using Names = std::vector<std::string>;

class PlanProcess : public testing::Test {
 protected:
  PlanProcess() { spec_.process = spec::Process{.cwd = "/", .args = {"sh"}}; }

  spec::Process& process() { return *spec_.process; }
  ProcessPlan planned() {
    warnings_.clear();
    Result<ProcessPlan> plan = plan_process(*spec_.process, spec_, facts_, warnings_);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? std::move(*plan) : ProcessPlan{};
  }
  Error refused() {
    Result<ProcessPlan> plan = plan_process(*spec_.process, spec_, facts_, warnings_);
    EXPECT_FALSE(plan);
    return plan ? Error(ErrorKind::Internal, "not refused") : std::move(plan.error());
  }
  void add_user_namespace(const char* path = "") {
    spec_.platform.namespaces = {{.type = spec::NamespaceType::User, .path = path}};
    if (*path != '\0') return;
    spec_.platform.uid_mappings = {{0, 1000, 1}};
    spec_.platform.gid_mappings = {{0, 1000, 1}};
  }

  spec::Spec spec_;
  HostFacts facts_{.capabilities = ~uint64_t{0}};
  std::vector<std::string> warnings_;
};

TEST_F(PlanProcess, Defaults) {
  const ProcessPlan plan = planned();
  EXPECT_EQ(plan.args, Names{"sh"});
  EXPECT_EQ(plan.umask, mode_t{022});
  EXPECT_TRUE(plan.home_from_passwd && plan.set_groups && plan.create_cwd);
  EXPECT_FALSE(plan.no_new_privileges || plan.terminal || plan.has_seccomp);
  EXPECT_EQ(plan.pointer, "/process");
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PlanProcess, AbsentCapabilitiesAreNone) {
  const CapabilityPlan plan = planned().capabilities;
  EXPECT_TRUE(plan.set);
  EXPECT_EQ(plan.bounding | plan.effective | plan.permitted | plan.inheritable | plan.ambient, 0U);
}

TEST_F(PlanProcess, EnvKeepsTheLastOfEachName) {
  process().env = {"A=1", "B=2", "A=3", "PATH=/bin", "B=4", "C"};
  EXPECT_EQ(planned().env, (Names{"A=3", "PATH=/bin", "B=4", "C"}));
}

TEST_F(PlanProcess, HomeIsFromPasswdWhenAbsentOrEmpty) {
  process().env = {"HOME=/root"};
  EXPECT_FALSE(planned().home_from_passwd);
  process().env = {"HOME=/root", "HOME="};
  const ProcessPlan plan = planned();
  EXPECT_TRUE(plan.home_from_passwd);
  EXPECT_TRUE(plan.env.empty());
}

TEST(CapabilityNames, AreTheKernels) {
  EXPECT_EQ(spec::kCapabilityNames[CAP_CHOWN], "CAP_CHOWN");
  EXPECT_EQ(spec::kCapabilityNames[CAP_NET_ADMIN], "CAP_NET_ADMIN");
  EXPECT_EQ(spec::kCapabilityNames[CAP_SYS_ADMIN], "CAP_SYS_ADMIN");
  EXPECT_EQ(spec::kCapabilityNames[CAP_SYS_TIME], "CAP_SYS_TIME");
  EXPECT_EQ(spec::kCapabilityNames[CAP_SETFCAP], "CAP_SETFCAP");
  EXPECT_EQ(spec::kCapabilityNames[CAP_BPF], "CAP_BPF");
  EXPECT_EQ(spec::kCapabilityNames[CAP_LAST_CAP], "CAP_CHECKPOINT_RESTORE");
}

TEST_F(PlanProcess, CapabilitiesBecomeMasks) {
  const Names kill{"CAP_KILL"};
  process().capabilities = spec::Capabilities{.bounding = {"CAP_CHOWN", "CAP_KILL"},
                                              .effective = kill,
                                              .inheritable = kill,
                                              .permitted = kill,
                                              .ambient = kill};
  const CapabilityPlan plan = planned().capabilities;
  EXPECT_EQ(plan.bounding, uint64_t{1 << CAP_CHOWN | 1 << CAP_KILL});
  EXPECT_EQ(plan.effective, uint64_t{1 << CAP_KILL});
  EXPECT_EQ(plan.inheritable, plan.effective);
  EXPECT_EQ(plan.permitted, plan.effective);
  EXPECT_EQ(plan.ambient, plan.effective);
  EXPECT_TRUE(warnings_.empty());
}

TEST_F(PlanProcess, UnknownCapabilitiesAreWarnedOf) {
  process().capabilities =
      spec::Capabilities{.bounding = {"CAP_FLY", "CAP_KILL", "CAP_BPF", "cap_kill"}};
  facts_.last_capability = CAP_PERFMON;
  EXPECT_EQ(planned().capabilities.bounding, uint64_t{1 << CAP_KILL});
  ASSERT_EQ(warnings_.size(), 3U);
  EXPECT_EQ(warnings_[0],
            "/process/capabilities/bounding/0: this runtime does not know CAP_FLY: ignored");
  EXPECT_EQ(warnings_[1],
            "/process/capabilities/bounding/2: this kernel does not know CAP_BPF: ignored");
}

TEST_F(PlanProcess, AmbientMustBePermittedAndInheritable) {
  process().capabilities = spec::Capabilities{
      .bounding = {"CAP_KILL"}, .permitted = {"CAP_KILL"}, .ambient = {"CAP_KILL"}};
  EXPECT_EQ(planned().capabilities.ambient, 0U);
  EXPECT_EQ(warnings_.size(), 1U);
}

TEST_F(PlanProcess, SetsTheKernelRefusesAreLimited) {
  process().capabilities =
      spec::Capabilities{.effective = {"CAP_KILL"}, .inheritable = {"CAP_KILL"}};
  const CapabilityPlan plan = planned().capabilities;
  EXPECT_EQ(plan.effective | plan.inheritable, 0U);
  EXPECT_EQ(warnings_.size(), 2U);
}

TEST_F(PlanProcess, CallersCapabilitiesAreTheLimitOutsideAUserNamespace) {
  const Names names{"CAP_KILL", "CAP_CHOWN"};
  process().capabilities =
      spec::Capabilities{.bounding = names, .effective = names, .permitted = names};
  facts_.capabilities = uint64_t{1} << CAP_SYS_ADMIN | uint64_t{1} << CAP_KILL;
  EXPECT_EQ(planned().capabilities.effective, uint64_t{1 << CAP_KILL});
  EXPECT_EQ(warnings_.size(), 3U);
  add_user_namespace();
  EXPECT_EQ(planned().capabilities.effective, uint64_t{1 << CAP_KILL | 1 << CAP_CHOWN});
}

TEST_F(PlanProcess, UserAndGroups) {
  process().user = {.uid = 7, .gid = 8, .umask = 077, .additional_gids = {9, 10}};
  const ProcessPlan plan = planned();
  EXPECT_EQ(plan.uid, 7U);
  EXPECT_EQ(plan.gid, 8U);
  EXPECT_EQ(plan.umask, mode_t{077});
  EXPECT_EQ(plan.groups, (std::vector<gid_t>{9, 10}));
}

TEST_F(PlanProcess, GroupsAreLeftWhereSetgroupsIsDenied) {
  facts_ = {.euid = 1000, .egid = 1000};
  add_user_namespace();
  EXPECT_FALSE(planned().set_groups);
  process().user.additional_gids = {0};
  EXPECT_EQ(refused().pointer(), "/process/user/additionalGids");
  process().user.additional_gids = {};
  add_user_namespace("/proc/7/ns/user");
  EXPECT_FALSE(planned().set_groups);
  facts_ = {.capabilities = ~uint64_t{0}};
  EXPECT_TRUE(planned().set_groups);
  facts_.setgroups_denied = true;
  EXPECT_FALSE(planned().set_groups);
}

TEST_F(PlanProcess, IdsMustBeMapped) {
  add_user_namespace();
  spec_.platform.gid_mappings = {{0, 0, 5}};
  EXPECT_TRUE(planned().set_groups);
  process().user.gid = 5;
  EXPECT_EQ(refused().pointer(), "/process/user/gid");
  process().user = {.additional_gids = {4, 5}};
  EXPECT_EQ(refused().pointer(), "/process/user/additionalGids/1");
  process().user = {.uid = 1};
  EXPECT_EQ(refused().pointer(), "/process/user/uid");
}

TEST_F(PlanProcess, Limits) {
  process().rlimits = {{.type = "RLIMIT_NOFILE", .soft = 10, .hard = 20},
                       {.type = "RLIMIT_CORE", .soft = UINT64_MAX, .hard = UINT64_MAX}};
  process().oom_score_adj = 5;
  const ProcessPlan plan = planned();
  ASSERT_EQ(plan.rlimits.size(), 2U);
  EXPECT_EQ(plan.rlimits[0].resource, RLIMIT_NOFILE);
  EXPECT_EQ(plan.rlimits[0].limit.rlim_max, 20U);
  EXPECT_EQ(plan.rlimits[1].limit.rlim_cur, RLIM_INFINITY);
  EXPECT_EQ(plan.rlimits[1].pointer, "/process/rlimits/1");
  EXPECT_EQ(plan.oom_score_adj, 5);
  process().rlimits[1].type = "RLIMIT_FUN";
  EXPECT_EQ(refused().pointer(), "/process/rlimits/1/type");
}

TEST(Rlimits, AllSixteenAreTheKernels) {
  const std::pair<const char*, int> rows[] = {{"RLIMIT_AS", RLIMIT_AS},
                                              {"RLIMIT_CORE", RLIMIT_CORE},
                                              {"RLIMIT_CPU", RLIMIT_CPU},
                                              {"RLIMIT_DATA", RLIMIT_DATA},
                                              {"RLIMIT_FSIZE", RLIMIT_FSIZE},
                                              {"RLIMIT_LOCKS", __RLIMIT_LOCKS},
                                              {"RLIMIT_MEMLOCK", RLIMIT_MEMLOCK},
                                              {"RLIMIT_MSGQUEUE", __RLIMIT_MSGQUEUE},
                                              {"RLIMIT_NICE", __RLIMIT_NICE},
                                              {"RLIMIT_NOFILE", RLIMIT_NOFILE},
                                              {"RLIMIT_NPROC", RLIMIT_NPROC},
                                              {"RLIMIT_RSS", RLIMIT_RSS},
                                              {"RLIMIT_RTPRIO", __RLIMIT_RTPRIO},
                                              {"RLIMIT_RTTIME", __RLIMIT_RTTIME},
                                              {"RLIMIT_SIGPENDING", __RLIMIT_SIGPENDING},
                                              {"RLIMIT_STACK", RLIMIT_STACK}};
  for (const auto& [name, number] : rows) {
    spec::Spec spec;
    spec.process = spec::Process{.rlimits = {{.type = name, .soft = 1, .hard = 1}}};
    std::vector<std::string> warnings;
    const Result<ProcessPlan> plan =
        plan_process(*spec.process, spec, {.capabilities = ~uint64_t{0}}, warnings);
    ASSERT_TRUE(plan) << name;
    EXPECT_EQ(plan->rlimits.at(0).resource, number) << name;
  }
}

TEST_F(PlanProcess, Terminal) {
  process().console_size = spec::ConsoleSize{.height = 24, .width = 80};
  EXPECT_EQ(planned().console_rows, 0);
  process().terminal = true;
  const ProcessPlan plan = planned();
  EXPECT_TRUE(plan.terminal);
  EXPECT_EQ(plan.console_rows, 24);
  EXPECT_EQ(plan.console_columns, 80);
}

TEST_F(PlanProcess, LabelsNeedTheirModule) {
  process().apparmor_profile = "docker-default";
  EXPECT_EQ(refused().pointer(), "/process/apparmorProfile");
  EXPECT_EQ(refused().kind(), ErrorKind::Unsupported);
  facts_.has_apparmor = true;
  EXPECT_EQ(planned().apparmor_profile, "docker-default");
  facts_.has_apparmor = false;
  process().apparmor_profile = "unconfined";
  EXPECT_EQ(planned().apparmor_profile, "");
  process().selinux_label = "u:r:t";
  EXPECT_EQ(refused().pointer(), "/process/selinuxLabel");
  facts_.has_selinux = true;
  EXPECT_EQ(planned().selinux_label, "u:r:t");
}

TEST_F(PlanProcess, SeccompNeedsAKernelThatHasIt) {
  spec_.platform.seccomp = spec::Seccomp{};
  EXPECT_TRUE(planned().has_seccomp);
  facts_.has_seccomp = false;
  EXPECT_EQ(refused().pointer(), "/linux/seccomp");
}

TEST_F(PlanProcess, OfAFileOfItsOwnHasNoPrefix) {
  const spec::Process other{.cwd = "/", .args = {"x"}, .rlimits = {{.type = "RLIMIT_FUN"}}};
  EXPECT_EQ(plan_process(other, spec_, facts_, warnings_).error().pointer(), "/rlimits/0/type");
}

}  // namespace
}  // namespace berth::plan
