// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>

#include "init/run_init.h"
#include "init/step.h"
#include "os/process.h"

namespace berth::init {
namespace {

// One call for all of them, by the pidfd of the container's init; the pid namespace was entered by
// who cloned us, and by a joiner the user namespace (which cannot be entered twice).
StepResult join_container(EnterContext& enter) {
  uint64_t entered = CLONE_NEWPID;
  if (enter.plan.shape == plan::LaunchShape::Joiner) entered |= CLONE_NEWUSER;
  const int flags = static_cast<int>(enter.plan.namespaces & ~entered);
  if (flags != 0 && ::setns(enter.prepared.target, flags) < 0)
    return failure(Step::JoinNamespaces, errno);
  // A mount namespace that is made now has a copy of that directory, and takes us along.
  if (enter.prepared.root >= 0 && ::fchdir(enter.prepared.root) < 0)
    return failure(Step::EnterRootfs, errno);
  if ((enter.plan.namespaces & CLONE_NEWUSER) == 0) return {};
  if (::syscall(SYS_setresgid, 0, 0, 0) < 0 || ::syscall(SYS_setresuid, 0, 0, 0) < 0) {
    return failure(Step::AwaitIds, errno, -1, Action::SetIds);
  }
  return {};
}

// To the working directory. Before it, "/" is what the mount namespace has there: with the host's,
// all of the host.
StepResult change_root(EnterContext& enter) {
  if (enter.prepared.root < 0) return {};
  if (::chroot(".") < 0 || ::chdir("/") < 0) return failure(Step::EnterRootfs, errno);
  return {};
}

StepResult open_terminal(EnterContext& enter) {
  if (!enter.plan.process.terminal) return {};
  const ChildFd root(::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return failure(Step::OpenTerminal, errno);
  return open_terminal_in(enter.process, root.get(), -1);
}

template <StepResult (*run)(ProcessContext&)>
StepResult on_process(EnterContext& enter) {
  return run(enter.process);
}

struct EnterStep {
  Step step;
  StepResult (*run)(EnterContext&);
};

// How a further process gets into a container. The other side is engine/exec.cc and
// engine/launch_entry.cc.
constexpr EnterStep kSetUp[] = {
    {Step::JoinCgroup, on_process<join_cgroup>},
    {Step::CloseDescriptors, on_process<close_foreign>},
    {Step::StartSession, on_process<start_session>},
    {Step::LimitProcess, on_process<open_label>},
    {Step::AwaitStart, find_door},
    {Step::JoinNamespaces, join_container},
    {Step::AttachTools, part_from_container},
    {Step::EnterRootfs, change_root},
    {Step::AttachTools, attach_tools},
    {Step::OpenTerminal, open_terminal},
    {Step::LimitProcess, on_process<limit_process>},
    {Step::ConfineProcess, on_process<tune_process>},
    {Step::ConfineProcess, on_process<open_ruleset>},
    {Step::CloseDescriptors, on_process<close_descriptors>},
};
constexpr EnterStep kFilterLast[] = {
    {Step::DropPrivileges, on_process<drop_privileges>},
    {Step::FindExecutable, on_process<find_executable>},
    {Step::ConfineProcess, on_process<confine_process>},
    {Step::LoadSeccomp, on_process<load_seccomp>},
    {Step::AwaitStart, await_go},
    {Step::ExecProcess, on_process<exec_process>},
};
constexpr EnterStep kFilterFirst[] = {
    {Step::ConfineProcess, on_process<confine_process>},
    {Step::LoadSeccomp, on_process<load_seccomp>},
    {Step::DropPrivileges, on_process<drop_privileges>},
    {Step::FindExecutable, on_process<find_executable>},
    {Step::AwaitStart, await_go},
    {Step::ExecProcess, on_process<exec_process>},
};

template <size_t count>
StepResult run_table(const EnterStep (&table)[count], EnterContext& enter) {
  for (const EnterStep& step : table) TRY(step.run(enter));
  return {};
}

StepResult run_all(EnterContext& enter) {
  TRY(run_table(kSetUp, enter));
  return enter.plan.process.no_new_privileges ? run_table(kFilterLast, enter)
                                              : run_table(kFilterFirst, enter);
}

// For start_process, which has no plan: the name of the program comes with the failure.
void leave_words(const EnterContext& enter, const Failure& failure) {
  char words[sync::kGateOutput + sizeof failure];
  const char* name = enter.prepared.process.argv[0];
  const size_t size = std::min<size_t>(strlen(name), sync::kGateOutput);
  memcpy(words, name, size);
  memcpy(words + size, &failure, sizeof failure);
  (void)!::write(enter.prepared.gate, words, size + sizeof failure);
}

}  // namespace

void run_enter(const plan::EnterPlan& plan, PreparedEnter& prepared) {
  EnterContext enter{.plan = plan,
                     .prepared = prepared,
                     .process = {.plan = plan.process,
                                 .prepared = prepared.process,
                                 .host = sync::InitEnd(prepared.process.channel),
                                 .is_init = false}};
  const StepResult result = run_all(enter);
  if (!result && !enter.alone) enter.process.host.failed(result.error());
  if (!result && enter.alone && prepared.gate >= 0) leave_words(enter, result.error());
  ::_exit(255);
}

void run_enter_joiner(const plan::EnterPlan& plan, PreparedEnter& prepared) {
  ProcessContext process{.plan = plan.process,
                         .prepared = prepared.process,
                         .host = sync::InitEnd(prepared.process.channel),
                         .is_init = false};
  set_own_oom_score(plan.process);
  StepResult result = join_cgroup(process);
  prepared.process.task_files.clear();  // inherited
  const int flags = static_cast<int>(plan.namespaces & (CLONE_NEWUSER | CLONE_NEWPID));
  if (result && ::setns(prepared.target, flags) < 0) result = failure(Step::JoinNamespaces, errno);
  if (result) {
    int pidfd = -1;
    const pid_t pid = os::clone_child({.flags = CLONE_PARENT, .exit_signal = 0}, &pidfd);
    if (pid == 0) run_enter(plan, prepared);
    if (pid < 0) {
      result = failure(Step::CloneInit, pid);
    } else {
      result = process.host.announce_init(pidfd, pid);
    }
  }
  if (!result) process.host.failed(result.error());
  ::_exit(result ? 0 : 1);
}

}  // namespace berth::init
