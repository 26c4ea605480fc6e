// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <linux/capability.h>
#include <linux/mempolicy.h>
#include <linux/sched.h>

#include "plan/process_parts.h"

// scheduler, ioPriority, personality, memoryPolicy, execCPUAffinity.
namespace berth::plan {
namespace {

using Bits = std::vector<uint64_t>;

class PlanPriorities : public testing::Test {
 protected:
  PlanPriorities() { spec_.process = spec::Process{.cwd = "/", .args = {"sh"}}; }

  spec::Process& process() { return *spec_.process; }
  Result<ProcessPlan> plan() { return plan_process(process(), spec_, facts_, warnings_); }
  ProcessPlan planned() {
    Result<ProcessPlan> result = plan();
    EXPECT_TRUE(result) << result.error().message();
    return result ? std::move(*result) : ProcessPlan{};
  }
  Error refused() {
    Result<ProcessPlan> result = plan();
    EXPECT_FALSE(result);
    return result ? Error(ErrorKind::Internal, "not refused") : std::move(result.error());
  }

  spec::Spec spec_;
  HostFacts facts_{.capabilities = ~uint64_t{0}};
  std::vector<std::string> warnings_;
};

TEST_F(PlanPriorities, BecomeTheKernelsNumbers) {
  process().scheduler =
      spec::Scheduler{.policy = "SCHED_FIFO",
                      .priority = 7,
                      .flags = {"SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_KEEP_PARAMS"}};
  process().io_priority = spec::IoPriority{.io_class = "IOPRIO_CLASS_BE", .priority = 4};
  spec_.platform.personality = spec::Personality{.domain = "LINUX32"};
  const ProcessPlan plan = planned();
  EXPECT_EQ(plan.scheduler->policy, 1U);
  EXPECT_EQ(plan.scheduler->priority, 7U);
  EXPECT_EQ(plan.scheduler->flags, 0x11U);
  EXPECT_EQ(plan.io_priority, 2 << 13 | 4);
  EXPECT_EQ(plan.personality, 8U);
  spec_.platform.personality->flags = {"X"};
  EXPECT_EQ(refused().pointer(), "/linux/personality/flags");
  spec_.platform.personality = spec::Personality{.domain = "HPUX"};
  EXPECT_EQ(refused().pointer(), "/linux/personality/domain");
  process().scheduler->flags[1] = "X";
  EXPECT_EQ(refused().pointer(), "/process/scheduler/flags/1");
}

TEST_F(PlanPriorities, EveryPolicyAndFlagIsTheKernels) {
  const std::pair<const char*, uint32_t> policies[] = {
      {"SCHED_OTHER", SCHED_NORMAL}, {"SCHED_FIFO", SCHED_FIFO}, {"SCHED_RR", SCHED_RR},
      {"SCHED_BATCH", SCHED_BATCH},  {"SCHED_IDLE", SCHED_IDLE}, {"SCHED_DEADLINE", 6}};
  for (const auto& [name, number] : policies) {
    process().scheduler = spec::Scheduler{.policy = name};
    EXPECT_EQ(planned().scheduler->policy, number) << name;
  }
  const std::pair<const char*, uint64_t> flags[] = {
      {"SCHED_FLAG_RESET_ON_FORK", 1},    {"SCHED_FLAG_RECLAIM", 2},
      {"SCHED_FLAG_DL_OVERRUN", 4},       {"SCHED_FLAG_KEEP_POLICY", 8},
      {"SCHED_FLAG_KEEP_PARAMS", 0x10},   {"SCHED_FLAG_UTIL_CLAMP_MIN", 0x20},
      {"SCHED_FLAG_UTIL_CLAMP_MAX", 0x40}};
  for (const auto& [name, number] : flags) {
    process().scheduler = spec::Scheduler{.policy = "SCHED_OTHER", .flags = {name}};
    EXPECT_EQ(planned().scheduler->flags, number) << name;
  }
}

TEST_F(PlanPriorities, DeadlinesTimesArePassedOn) {
  process().scheduler =
      spec::Scheduler{.policy = "SCHED_DEADLINE", .runtime = 10, .deadline = 20, .period = 30};
  const SchedulerPlan plan = *planned().scheduler;
  EXPECT_EQ(plan.runtime, 10U);
  EXPECT_EQ(plan.deadline, 20U);
  EXPECT_EQ(plan.period, 30U);
}

TEST_F(PlanPriorities, AProcessOfDeadlineRunsNoHooks) {
  process().scheduler = spec::Scheduler{.policy = "SCHED_DEADLINE"};
  spec_.hooks.start_container = {{.path = "/hook"}};
  EXPECT_EQ(refused().pointer(), "/process/scheduler/flags");
  process().scheduler->flags = {"SCHED_FLAG_RESET_ON_FORK"};
  (void)planned();
  process().scheduler->flags.clear();
  spec_.hooks.start_container.clear();
  (void)planned();
}

TEST_F(PlanPriorities, OomScoreMayBeDeniedToWhoHasNoRight) {
  process().oom_score_adj = -5;
  EXPECT_FALSE(planned().oom_score_may_be_denied);
  facts_.capabilities = ~(uint64_t{1} << CAP_SYS_RESOURCE);
  EXPECT_TRUE(planned().oom_score_may_be_denied);
}

TEST(NumberSet, Table) {
  const std::pair<const char*, std::optional<Bits>> rows[] = {{"", Bits{}},
                                                              {"0", Bits{1}},
                                                              {"0-3,7", Bits{0x8f}},
                                                              {"63,64", Bits{uint64_t{1} << 63, 1}},
                                                              {" 1 , 2 ,", Bits{6}},
                                                              {"199", Bits{0, 0, 0, 1 << 7}},
                                                              {"1-1", Bits{2}},
                                                              {"2-1", {}},
                                                              {"200", {}},
                                                              {"0-200", {}},
                                                              {"x", {}},
                                                              {"-1", {}},
                                                              {"1-", {}},
                                                              {"1-2-3", {}},
                                                              {"4294967296", {}},
                                                              {"1 2", {}}};
  for (const auto& [text, expected] : rows)
    EXPECT_EQ(parse_number_set(text, 200), expected) << text;
}

TEST_F(PlanPriorities, AffinityIsOfExecOnly) {
  process().exec_cpu_affinity = spec::ExecCpuAffinity{.initial = "0", .final = "0-1"};
  EXPECT_TRUE(planned().cpus.empty());
  const ProcessPlan plan = make_enter_plan(spec_, process(), facts_, {})->process;
  EXPECT_EQ(plan.first_cpus, Bits{1});
  EXPECT_EQ(plan.cpus, Bits{3});
  process().exec_cpu_affinity = spec::ExecCpuAffinity{.final = "9000"};
  EXPECT_EQ(make_enter_plan(spec_, process(), facts_, {}).error().pointer(),
            "/process/execCPUAffinity/final");
  const spec::Process other{
      .cwd = "/", .args = {"x"}, .exec_cpu_affinity = spec::ExecCpuAffinity{.initial = "3-1"}};
  EXPECT_EQ(make_enter_plan(spec_, other, facts_, {}).error().pointer(),
            "/execCPUAffinity/initial");
}

TEST_F(PlanPriorities, MemoryPolicyTable) {
  struct Row {
    spec::MemoryPolicy wanted;
    int mode;
    Bits nodes;
  };
  const Row rows[] = {
      {{.mode = "MPOL_DEFAULT"}, MPOL_DEFAULT, {}},
      {{.mode = "MPOL_LOCAL"}, MPOL_LOCAL, {}},
      {{.mode = "MPOL_PREFERRED"}, MPOL_PREFERRED, {}},
      {{.mode = "MPOL_PREFERRED", .nodes = "1"}, MPOL_PREFERRED, {2}},
      {{.mode = "MPOL_PREFERRED_MANY", .nodes = "0-1"}, MPOL_PREFERRED_MANY, {3}},
      {{.mode = "MPOL_INTERLEAVE", .nodes = "0,64", .flags = {"MPOL_F_STATIC_NODES"}},
       MPOL_INTERLEAVE | MPOL_F_STATIC_NODES,
       {1, 1}},
      {{.mode = "MPOL_WEIGHTED_INTERLEAVE", .nodes = "0", .flags = {"MPOL_F_RELATIVE_NODES"}},
       6 | MPOL_F_RELATIVE_NODES,
       {1}},
      {{.mode = "MPOL_BIND", .nodes = "0", .flags = {"MPOL_F_NUMA_BALANCING"}},
       MPOL_BIND | MPOL_F_NUMA_BALANCING,
       {1}}};
  for (const Row& row : rows) {
    spec_.platform.memory_policy = row.wanted;
    const ProcessPlan plan = planned();
    EXPECT_EQ(plan.memory_policy->mode, row.mode) << row.wanted.mode;
    EXPECT_EQ(plan.memory_policy->nodes, row.nodes) << row.wanted.mode;
    // Of every process that enters the container, too.
    EXPECT_TRUE(make_enter_plan(spec_, process(), facts_, {})->process.memory_policy);
  }
  spec_.platform.memory_policy = spec::MemoryPolicy{.mode = "MPOL_BIND", .nodes = "1024"};
  EXPECT_EQ(refused().pointer(), "/linux/memoryPolicy/nodes");
  spec_.platform.memory_policy = spec::MemoryPolicy{.mode = "MPOL_BIND", .flags = {"X"}};
  EXPECT_EQ(refused().pointer(), "/linux/memoryPolicy/flags/0");
}

}  // namespace
}  // namespace berth::plan
