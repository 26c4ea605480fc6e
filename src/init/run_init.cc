// SPDX-License-Identifier: Apache-2.0
#include "init/run_init.h"

#include <errno.h>
#include <unistd.h>

#include "init/step.h"
#include "os/process.h"

namespace berth::init {
namespace {

template <StepResult (*run)(ProcessContext&)>
StepResult on_process(InitContext& init) {
  return run(init.process);
}

// `start` learns by the byte that all hooks are done: who is killed before it has never executed.
StepResult exec_program(InitContext& init) {
  const int gate = init.prepared.gate;
  if (gate >= 0 && ::write(gate, &sync::kGateExecuting, 1) != 1)
    return failure(Step::ExecProcess, errno);
  return exec_process(init.process);
}

struct InitStep {
  Step step;
  StepResult (*run)(InitContext&);
};

// How a container is made, seen from its first process. The other side is engine/create.cc.
// What needs the host's /proc (labels, sysctls) or its paths comes before EnterRootfs.
constexpr InitStep kSetUp[] = {
    {Step::JoinCgroup, join_cgroup},
    {Step::CloseDescriptors, on_process<close_foreign>},
    {Step::JoinNamespaces, join_namespaces},
    {Step::AwaitIds, await_ids},
    {Step::StartSession, start_session},
    {Step::SetHostname, set_hostname},
    {Step::WriteSysctls, write_sysctls},
    {Step::LimitProcess, on_process<open_label>},
    {Step::IsolateMounts, isolate_mounts},
    {Step::MountFilesystems, mount_filesystems},
    {Step::MakeDevices, make_devices},
    {Step::BringUpNetwork, bring_up_network},
    {Step::AwaitHost, await_host},
    {Step::RunCreateHooks, run_create_hooks},
    {Step::EnterRootfs, enter_rootfs},
    {Step::OpenTerminal, open_terminal},
    {Step::FinishRootfs, finish_rootfs},
    {Step::LimitProcess, on_process<limit_process>},
    {Step::ConfineProcess, on_process<tune_process>},
    {Step::ConfineProcess, on_process<open_ruleset>},
    {Step::CloseDescriptors, on_process<close_descriptors>},
};

// With no_new_privs the filter comes as late as possible; without it loading needs CAP_SYS_ADMIN,
// so before dropping it.
constexpr InitStep kFilterLast[] = {
    {Step::DropPrivileges, on_process<drop_privileges>},
    {Step::FindExecutable, on_process<find_executable>},
    {Step::ConfineProcess, on_process<confine_process>},
    {Step::LoadSeccomp, on_process<load_seccomp>},
    {Step::AwaitStart, await_start},
    {Step::RunStartHooks, run_start_hooks},
    {Step::ExecProcess, exec_program},
};
constexpr InitStep kFilterFirst[] = {
    {Step::ConfineProcess, on_process<confine_process>},
    {Step::LoadSeccomp, on_process<load_seccomp>},
    {Step::DropPrivileges, on_process<drop_privileges>},
    {Step::FindExecutable, on_process<find_executable>},
    {Step::AwaitStart, await_start},
    {Step::RunStartHooks, run_start_hooks},
    {Step::ExecProcess, exec_program},
};

template <size_t count>
StepResult run_table(const InitStep (&table)[count], InitContext& init) {
  for (const InitStep& step : table) TRY(step.run(init));
  return {};
}

StepResult run_all(InitContext& init) {
  TRY(run_table(kSetUp, init));
  return init.plan.process.no_new_privileges ? run_table(kFilterLast, init)
                                             : run_table(kFilterFirst, init);
}

}  // namespace

void run_init(const plan::InitPlan& plan, PreparedInit& prepared) {
  InitContext init{.plan = plan,
                   .prepared = prepared,
                   .process = {.plan = plan.process,
                               .prepared = prepared.process,
                               .host = sync::InitEnd(prepared.process.channel)}};
  const StepResult result = run_all(init);
  if (!result) {
    init.process.host.failed(result.error());
    if (prepared.gate >= 0) leave_failure(prepared, result.error());
  }
  ::_exit(1);
}

}  // namespace berth::init
