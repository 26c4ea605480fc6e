// SPDX-License-Identifier: Apache-2.0
#include "engine/explain.h"

#include <errno.h>
#include <gtest/gtest.h>
#include <sys/mount.h>

namespace berth::engine {
namespace {

using sync::Action;
using sync::Failure;
using sync::Step;

plan::ProcessPlan process_plan() {
  plan::ProcessPlan process;
  process.args = {"httpd", "-f"};
  process.cwd = "/srv";
  process.rlimits = {{.resource = 7, .pointer = "/process/rlimits/0"}};
  process.confinement.landlock = {
      {.path = "/srv", .pointer = "/annotations/run.berth.landlock.read"}};
  process.apparmor_profile = "web";
  process.pointer = "/process";
  return process;
}

plan::NamespacePlan& namespace_plan() {
  static plan::NamespacePlan namespaces = [] {
    plan::NamespacePlan plan;
    plan.join = {{.path = "/proc/9/ns/net", .pointer = "/linux/namespaces/2"}};
    return plan;
  }();
  return namespaces;
}

// One item of each kind.
plan::InitPlan init_plan() {
  plan::InitPlan plan;
  plan.namespaces = &namespace_plan();
  plan.root = {.path = "/bundle/rootfs"};
  plan.mounts = {{.kind = plan::MountKind::Filesystem,
                  .target = "/data",
                  .fs_type = "tmpfs",
                  .options = {{.key = "size", .value = "1z"}},
                  .pointer = "/mounts/0"},
                 {.kind = plan::MountKind::Bind,
                  .target = "/etc/hosts",
                  .source = "/no/such",
                  .pointer = "/mounts/1"}};
  plan.devices = {{.path = "/dev/fuse", .pointer = "/linux/devices/0"}};
  plan.masked_paths = {{.path = "/proc/kcore", .pointer = "/linux/maskedPaths/0"}};
  plan.readonly_paths = {{.path = "/proc/bus", .pointer = "/linux/readonlyPaths/0"}};
  plan.sysctls = {{.path = "net/ipv4/ip_forward",
                   .value = "1",
                   .pointer = "/linux/sysctl/net.ipv4.ip_forward"}};
  plan.create_container = {{.path = "/hook/create", .pointer = "/hooks/createContainer/0"}};
  plan.start_container = {{.path = "/hook/start", .pointer = "/hooks/startContainer/0"}};
  plan.process = process_plan();
  return plan;
}

struct Row {
  Failure failure;
  const char* pointer;
  const char* words;
};

void expect_told(const Error& error, const Row& row) {
  const std::string text = error.message();
  SCOPED_TRACE(text);
  EXPECT_EQ(error.pointer(), row.pointer);
  EXPECT_NE(text.find(row.pointer), std::string::npos);
  EXPECT_NE(text.find(row.words), std::string::npos) << row.words;
  EXPECT_EQ(error.step(), to_string(row.failure.step));
}

Failure at(Step step, Action action = Action::None, int item = -1, uint16_t detail = 0) {
  return {.step = step, .action = action, .detail = detail, .os_error = EACCES, .item = item};
}

TEST(Explain, NamesThePlaceThatAskedForTheStep) {
  const Row rows[] = {
      {at(Step::JoinNamespaces, Action::None, 0), "/linux/namespaces/2", "/proc/9/ns/net"},
      {at(Step::WriteSysctls, Action::None, 0), "/linux/sysctl/net.ipv4.ip_forward",
       "write 1 to /proc/sys/net/ipv4/ip_forward"},
      {at(Step::SetHostname, Action::None, 0), "/hostname", "set the hostname"},
      {at(Step::SetHostname, Action::None, 1), "/domainname", "set the domain name"},
      {at(Step::IsolateMounts), "/root/path", "/bundle/rootfs"},
      {at(Step::EnterRootfs), "/root/path", "use /bundle/rootfs as the root"},
      {at(Step::EnterRootfs, Action::ChangeDirectory), "/process/cwd", "/srv"},
      {at(Step::MountFilesystems, Action::OpenFilesystem, 0), "/mounts/0", "mount tmpfs on /data"},
      {at(Step::MountFilesystems, Action::SetOption, 0), "/mounts/0", "set option size"},
      {at(Step::MountFilesystems, Action::OpenSource, 1), "/mounts/1", "open source /no/such"},
      {at(Step::MountFilesystems, Action::MakeTarget, 1), "/mounts/1",
       "mount /no/such on /etc/hosts"},
      {at(Step::MountFilesystems, Action::NotADirectory, 0), "/mounts/0", "/data must be"},
      {at(Step::MountFilesystems, Action::CopyUp, 0), "/mounts/0", "what the image has at /data"},
      {at(Step::MountFilesystems, Action::MismatchedTarget, 1, 1), "/mounts/1",
       "a directory cannot be mounted onto a file"},
      {at(Step::MountFilesystems, Action::MismatchedTarget, 1, 0), "/mounts/1",
       "a file cannot be mounted onto a directory"},
      {at(Step::MountFilesystems, Action::CoverProc, 1), "/mounts/1", "leads into /proc"},
      {at(Step::MountFilesystems, Action::MakeLink, 1), "/mounts/1", "make the symlink anew"},
      {at(Step::MountFilesystems, Action::MapMountIds, 1), "/mounts/1", "map the ids"},
      {at(Step::MakeDevices, Action::MakeNode, 0), "/linux/devices/0", "make device /dev/fuse"},
      {at(Step::FinishRootfs, Action::MakeTarget, 0, 1), "/linux/readonlyPaths/0",
       "make read-only /proc/bus"},
      {at(Step::FinishRootfs, Action::MakeTarget, 0, 2), "/linux/maskedPaths/0",
       "mask /proc/kcore"},
      {at(Step::FinishRootfs, Action::SetAttributes, 0), "/mounts/0", "make /data read-only"},
      {at(Step::FinishRootfs, Action::SetAttributes), "/root/readonly", "root read-only"},
      {at(Step::FinishRootfs, Action::SetPropagation), "/linux/rootfsPropagation", "propagation"},
      {at(Step::RunCreateHooks, Action::RunHook, 0), "/hooks/createContainer/0", "/hook/create"},
      {at(Step::RunStartHooks, Action::RunHook, 0), "/hooks/startContainer/0", "/hook/start"},
  };
  const plan::InitPlan plan = init_plan();
  for (const Row& row : rows) expect_told(explain(plan, row.failure, {}), row);
}

constexpr Row kProcessRows[] = {
    {{.step = Step::LimitProcess, .action = Action::SetLabel},
     "/process/apparmorProfile",
     "set the AppArmor profile web (is it loaded?)"},
    {{.step = Step::LimitProcess, .action = Action::SetMemoryPolicy},
     "/linux/memoryPolicy",
     "memory policy"},
    {{.step = Step::LimitProcess, .action = Action::SetPersonality},
     "/linux/personality/domain",
     "personality"},
    {{.step = Step::JoinCgroup, .action = Action::SetAffinity},
     "/process/execCPUAffinity/initial",
     "CPUs"},
    {{.step = Step::JoinCgroup, .action = Action::SetAffinity, .detail = 1},
     "/process/execCPUAffinity/final",
     "CPUs"},
    {{.step = Step::DropPrivileges, .action = Action::SetIds}, "/process/user", "user and group"},
    {{.step = Step::DropPrivileges, .action = Action::SetCapabilities},
     "/process/capabilities",
     "capabilities"},
    {{.step = Step::DropPrivileges, .action = Action::SetRlimit, .item = 0},
     "/process/rlimits/0",
     "resource limit"},
    {{.step = Step::DropPrivileges, .action = Action::ChangeDirectory}, "/process/cwd", "/srv"},
    {{.step = Step::DropPrivileges, .action = Action::LeftRoot},
     "/process/cwd",
     "outside the root"},
    {{.step = Step::ConfineProcess, .action = Action::ShareCore, .os_error = EINVAL},
     "/annotations/run.berth.core-sched",
     "needs Linux 5.14 with CONFIG_SCHED_CORE"},
    {{.step = Step::ConfineProcess, .action = Action::MergePages, .os_error = EPERM},
     "/annotations/run.berth.ksm",
     "merge equal pages"},
    {{.step = Step::ConfineProcess, .action = Action::AllowPath, .os_error = ENOENT, .item = 0},
     "/annotations/run.berth.landlock.read",
     "leave /srv open to Landlock"},
    {{.step = Step::ConfineProcess, .action = Action::Restrict, .os_error = E2BIG},
     "/annotations/run.berth.landlock.read",
     "use Landlock"},
    {{.step = Step::OpenTerminal}, "/process/terminal", "open a terminal"},
    {{.step = Step::LoadSeccomp}, "/linux/seccomp", "load seccomp"},
    {{.step = Step::FindExecutable, .action = Action::NotInPath, .os_error = ENOENT},
     "/process/args/0",
     R"("httpd")"},
    {{.step = Step::ExecProcess, .os_error = EACCES}, "/process/args/0", "permission denied"},
};

TEST(Explain, SaysWhyALongValueIsRefused) {
  plan::InitPlan plan = init_plan();
  const Failure failure{
      .step = Step::MountFilesystems, .action = Action::SetOption, .os_error = EINVAL, .item = 0};
  plan.mounts[0].options = {{.key = "upperdir", .value = std::string(256, 'x')}};
  EXPECT_NE(explain(plan, failure, {}).message().find("255"), std::string::npos);
}

TEST(Explain, NamesLockedFlagsThatWereToBeCleared) {
  plan::InitPlan plan = init_plan();
  const Failure failure{.step = Step::MountFilesystems,
                        .action = Action::SetAttributes,
                        .os_error = EPERM,
                        .item = 1};
  EXPECT_EQ(explain(plan, failure, {}).message().find("locked"), std::string::npos);
  plan.mounts[1].attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODIRATIME;
  plan.mounts[1].attr_clear = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
  const std::string text = explain(plan, failure, {}).message();
  EXPECT_NE(text.find("cannot clear locked flags"), std::string::npos) << text;
  EXPECT_NE(text.find("leave out rw, dev, nodiratime"), std::string::npos) << text;
}

TEST(Explain, NamesThePlaceInTheProcess) {
  const plan::InitPlan plan = init_plan();
  for (const Row& row : kProcessRows) expect_told(explain(plan, row.failure, {}), row);
}

TEST(Explain, SaysTheSameOfAnExec) {
  plan::EnterPlan plan;
  plan.process = process_plan();
  for (const Row& row : kProcessRows) expect_told(explain(plan, row.failure), row);
}

TEST(Explain, NamesTheLabelOfSelinux) {
  plan::InitPlan plan = init_plan();
  plan.process.selinux_label = "u:r:t:s0";
  const Failure failure{.step = Step::DropPrivileges, .action = Action::SetLabel};
  expect_told(explain(plan, failure, {}),
              {failure, "/process/selinuxLabel", "set the SELinux label u:r:t:s0"});
}

TEST(Explain, TellsWhatAHookSaid) {
  const plan::InitPlan plan = init_plan();
  Failure failure = at(Step::RunCreateHooks, Action::HookExit, 0);
  failure.os_error = 3;
  expect_told(explain(plan, failure, "no disk"),
              {failure, "/hooks/createContainer/0", "failed with exit status 3: no disk"});
  failure.action = Action::HookSignal;
  failure.os_error = 9;
  expect_told(explain(plan, failure, ""),
              {failure, "/hooks/createContainer/0", "killed by signal 9"});
  failure.action = Action::HookTimeout;
  expect_told(explain(plan, failure, ""),
              {failure, "/hooks/createContainer/0", "did not end in time"});
}

TEST(Explain, NeverReadsPastTheLists) {
  const plan::InitPlan plan = init_plan();
  for (int step = 0; step <= static_cast<int>(Step::ExecProcess); ++step) {
    for (int action = 0; action <= static_cast<int>(Action::PeerGone); ++action) {
      const auto failure = at(static_cast<Step>(step), static_cast<Action>(action), 1000, 1000);
      EXPECT_FALSE(explain(plan, failure, "said").message().empty());
      EXPECT_FALSE(explain(plan::EnterPlan{}, failure).message().empty());
    }
  }
}

}  // namespace
}  // namespace berth::engine
