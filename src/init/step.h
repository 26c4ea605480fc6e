// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <limits.h>

#include "berth/try.h"
#include "init/prepared.h"
#include "os/path.h"
#include "plan/plan.h"
#include "sync/channel.h"
#include "sync/failure.h"

// The code after clone. One file per step; a step with nothing to do returns at once. Nothing here
// allocates, throws, locks or looks up a name (architecture: "Rules for init/").
namespace berth::init {

using sync::Action;
using sync::Failure;
using sync::Step;
using sync::StepResult;
using sync::StepValue;

// What the steps of one process share.
struct ProcessContext {
  const plan::ProcessPlan& plan;
  PreparedProcess& prepared;
  sync::InitEnd host;
  bool is_init = true;
  int ruleset = -1;                  // of Landlock, built while all paths are in reach
  int label_file = -1;               // /proc/thread-self/attr/..., opened while /proc is the host's
  const char* executable = nullptr;  // found by find_executable; may be `found`
  char found[PATH_MAX] = {};
};

struct InitContext {
  const plan::InitPlan& plan;
  PreparedInit& prepared;
  ProcessContext process;
  int root = -1;            // the new root, O_PATH
  int dev = -1;             // our own new /dev, as long as nothing is mounted over it
  int working = -1;         // the working directory, when a mount was made in it
  bool in_network = false;  // what the host makes has been joined
};

struct EnterContext {
  const plan::EnterPlan& plan;
  PreparedEnter& prepared;
  ProcessContext process;
  int descriptors = -1;  // /proc/self/fd of the host's /proc
  bool alone = false;    // the host does not listen any more
};

// A descriptor of the child, never closed one by one: all are close-on-exec, and the child ends in
// execve or in its end. Forty system calls fewer for each container.
class ChildFd {
 public:
  ChildFd() = default;
  explicit ChildFd(int fd) : fd_(fd) {}
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void reset(int fd) { fd_ = fd; }

 private:
  int fd_ = -1;
};

inline std::unexpected<Failure> failure(Step step, int os_error, int item = -1,
                                        Action action = Action::None, int detail = 0) {
  return std::unexpected(Failure{.step = step,
                                 .action = action,
                                 .detail = static_cast<uint16_t>(detail),
                                 .os_error = os_error < 0 ? -os_error : os_error,
                                 .item = item});
}

// Of exec: in the order of the table of run_enter.cc.
StepResult find_door(EnterContext& enter);
StepResult part_from_container(EnterContext& enter);
StepResult attach_tools(EnterContext& enter);
StepResult await_go(EnterContext& enter);

// In the order of the tables of run_init.cc and run_enter.cc.
StepResult join_cgroup(InitContext& init);
StepResult join_namespaces(InitContext& init);
StepResult await_ids(InitContext& init);
StepResult start_session(InitContext& init);
StepResult await_host(InitContext& init);
StepResult bring_up_network(InitContext& init);
StepResult set_hostname(InitContext& init);
StepResult write_sysctls(InitContext& init);
StepResult isolate_mounts(InitContext& init);
StepResult mount_filesystems(InitContext& init);
StepResult make_devices(InitContext& init);
StepResult run_create_hooks(InitContext& init);
StepResult enter_rootfs(InitContext& init);
StepResult open_terminal(InitContext& init);
StepResult finish_rootfs(InitContext& init);
StepResult await_start(InitContext& init);
StepResult run_start_hooks(InitContext& init);

// Of init and of exec'ed processes.
StepResult join_cgroup(ProcessContext& process);
// A joiner's, inherited by what it clones: /proc/PID of who has entered a user namespace is closed
// to an ordinary user, so that the host may come too late.
void set_own_oom_score(const plan::ProcessPlan& plan);
StepResult start_session(ProcessContext& process);
StepResult open_label(ProcessContext& process);
StepResult limit_process(ProcessContext& process);
StepResult tune_process(ProcessContext& process);
StepResult open_ruleset(ProcessContext& process);
StepResult confine_process(ProcessContext& process);
StepResult close_foreign(ProcessContext& process);
StepResult close_descriptors(ProcessContext& process);
StepResult change_directory(ProcessContext& process);
StepResult drop_privileges(ProcessContext& process);
StepResult load_seccomp(ProcessContext& process);
StepResult find_executable(ProcessContext& process);
StepResult exec_process(ProcessContext& process);
// A pseudo-terminal of the container's own devpts below root; its slave becomes 0, 1 and 2.
// console: the directory in which it is also bound at "console", or -1.
StepResult open_terminal_in(ProcessContext& process, int root, int console);

// Pieces that several steps need.
// Joins the network namespace that the host makes, once: waits for it.
StepResult join_network(InitContext& init);
// make_devices, open_terminal: O_PATH, or -errno. crossing: a link of the image's may lead into a
// mount, because that is one of our own.
int open_dev(int root, bool crossing);
bool has_own_dev(const plan::InitPlan& plan);
int make_default_devices(InitContext& init, int directory, bool own,
                         int* failed);  // mount_filesystems, make_devices
StepResult run_hooks(InitContext& init, Step step, const std::vector<PreparedHook>& hooks,
                     const std::vector<plan::HookItem>& items, const PreparedState& state);
// For `start`, into the gate: a failure, and before it what a startContainer hook wrote.
void leave_failure(const PreparedInit& prepared, const Failure& failure);

}  // namespace berth::init
