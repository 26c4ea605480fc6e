// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "init/run_init.h"
#include "init/step.h"
#include "os/process.h"

namespace berth::init {
namespace {

// Raw calls: glibc's wrappers would signal threads that this copy of the caller does not have.
int become_root_of_namespace() {
  if (::syscall(SYS_setresgid, 0, 0, 0) < 0) return -errno;
  return ::syscall(SYS_setresuid, 0, 0, 0) < 0 ? -errno : 0;
}

// More than any kernel is built for.
constexpr struct AllCpus {
  constexpr AllCpus() {
    for (uint64_t& word : words) word = ~uint64_t{0};
  }
  uint64_t words[128] = {};
} kAllCpus;

int set_affinity(const std::vector<uint64_t>& cpus) {
  const long result =
      ::syscall(SYS_sched_setaffinity, 0, cpus.size() * sizeof(uint64_t), cpus.data());
  return result < 0 ? -errno : 0;
}

// Whether this user namespace lets nobody change groups (user_namespaces(7)): only its owner knew.
bool denies_setgroups() {
  const ChildFd file(::open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC));
  char first = 0;
  return file && ::read(file.get(), &first, 1) == 1 && first == 'd';
}

StepResult join_each(InitContext& init, bool retry_denied) {
  const auto& list = init.plan.namespaces->join;
  for (size_t index = 0; index < list.size(); ++index) {
    int& fd = init.prepared.joined[index];
    if (fd < 0) continue;
    if (::setns(fd, 0) == 0) {
      fd = -1;  // done; the descriptor goes with exec
    } else if (errno != EPERM || !retry_denied) {
      return failure(Step::JoinNamespaces, errno, static_cast<int>(index));
    }
  }
  return {};
}

// The offsets can be written while nobody is in the new time namespace: written first, entered
// then.
StepResult enter_time_namespace(InitContext& init) {
  if (!init.prepared.time_offsets.empty()) {
    const ChildFd file(::open("/proc/self/timens_offsets", O_WRONLY | O_CLOEXEC));
    const std::string& text = init.prepared.time_offsets;
    if (!file || ::write(file.get(), text.data(), text.size()) < 0)
      return failure(Step::JoinNamespaces, errno);
  }
  const ChildFd inside(::open("/proc/self/ns/time_for_children", O_RDONLY | O_CLOEXEC));
  if (!inside || ::setns(inside.get(), CLONE_NEWTIME) < 0)
    return failure(Step::JoinNamespaces, errno);
  return {};
}

}  // namespace

namespace {

// The end of the pipe says that there is no host any more.
StepResult await_cgroup(PreparedProcess& prepared) {
  if (prepared.cgroup_door < 0) return {};
  const ChildFd door(prepared.cgroup_door);
  ::close(prepared.cgroup_door_outside);
  prepared.cgroup_door = -1;  // not for who is cloned by this process
  char byte = 0;
  const ssize_t got = ::read(door.get(), &byte, 1);
  if (got == 1) return {};
  return failure(Step::JoinCgroup, got < 0 ? errno : EPIPE);
}

}  // namespace

// A number that is too low for the caller is left to the host, which says so or may overlook it.
void set_own_oom_score(const plan::ProcessPlan& plan) {
  if (!plan.oom_score_adj) return;
  char text[16];
  const char* const end = std::to_chars(text, text + sizeof text, *plan.oom_score_adj).ptr;
  const ChildFd file(::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), text, static_cast<size_t>(end - text));
}

StepResult join_cgroup(ProcessContext& process) {
  const plan::ProcessPlan& plan = process.plan;
  // Who was cloned into the cgroup has no time before it.
  if (!process.prepared.task_files.empty() && !plan.first_cpus.empty()) {
    const int result = set_affinity(plan.first_cpus);
    if (result < 0) return failure(Step::JoinCgroup, result, -1, Action::SetAffinity, 0);
  }
  for (size_t index = 0; index < process.prepared.task_files.size(); ++index) {
    const int file = process.prepared.task_files[index];
    if (::write(file, "0", 1) < 0) return failure(Step::JoinCgroup, errno, static_cast<int>(index));
  }
  TRY(await_cgroup(process.prepared));
  if (plan.cpus.empty()) {
    // Of the caller's own affinity nothing crosses: since Linux 6.2 it would stay in force for
    // ever.
    (void)::syscall(SYS_sched_setaffinity, 0, sizeof kAllCpus.words, kAllCpus.words);
    return {};
  }
  const int result = set_affinity(plan.cpus);
  if (result < 0) return failure(Step::JoinCgroup, result, -1, Action::SetAffinity, 1);
  return {};
}

StepResult join_cgroup(InitContext& init) { return join_cgroup(init.process); }

StepResult join_namespaces(InitContext& init) {
  if (init.plan.namespaces->shape == plan::LaunchShape::Direct) TRY(join_each(init, false));
  const uint64_t flags = init.plan.namespaces->unshare_flags;
  if (flags != 0 && ::unshare(static_cast<int>(flags)) < 0)
    return failure(Step::JoinNamespaces, errno);
  if ((flags & CLONE_NEWTIME) != 0) return enter_time_namespace(init);
  return {};
}

StepResult await_ids(InitContext& init) {
  if (init.plan.new_user_namespace) TRY(init.process.host.request_ids());
  if (!init.plan.namespaces->has(spec::NamespaceType::User)) return {};
  if (!init.plan.new_user_namespace) init.process.prepared.setgroups_denied = denies_setgroups();
  const int result = become_root_of_namespace();
  if (result < 0) return failure(Step::AwaitIds, result, -1, Action::SetIds);
  return {};
}

void run_joiner(const plan::InitPlan& plan, PreparedInit& prepared) {
  InitContext init{.plan = plan,
                   .prepared = prepared,
                   .process = {.plan = plan.process,
                               .prepared = prepared.process,
                               .host = sync::InitEnd(prepared.process.channel)}};
  set_own_oom_score(plan.process);
  StepResult result = join_cgroup(init.process);
  prepared.process.task_files.clear();  // init inherits the cgroups
  // Those that the user namespace owns can be joined only from inside it: a second round.
  if (result) result = join_each(init, true);
  if (result) result = join_each(init, false);
  if (result) {
    int pidfd = -1;
    const os::CloneRequest request{.flags = plan.namespaces->clone_flags | CLONE_PARENT,
                                   .exit_signal = 0};
    const pid_t pid = os::clone_child(request, &pidfd);
    if (pid == 0) run_init(plan, prepared);
    if (pid < 0) {
      result = failure(Step::CloneInit, pid);
    } else {
      result = init.process.host.announce_init(pidfd, pid);
    }
  }
  if (!result) init.process.host.failed(result.error());
  ::_exit(result ? 0 : 1);
}

}  // namespace berth::init
