// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/class_of_service.h"
#include "engine/enter_cgroup.h"
#include "engine/entry.h"
#include "engine/favour_process.h"
#include "engine/prepare.h"
#include "engine/visit.h"
#include "init/run_init.h"
#include "os/file.h"
#include "os/socket.h"

namespace berth::engine {
namespace {

constexpr size_t kMembershipLimit = 64 << 10;

Result<> favour_early(const Entry& entry) {
  TRY(enter_class(entry.record, entry.child.pid()));
  return set_oom_score(entry.plan.process, entry.child.pid());
}

// The container may have moved its first process, and given controllers to cgroups in its own,
// which can hold no process any more.
bool follow_init(Entry& entry) {
  const std::string path = formatted("/proc/{}/cgroup", entry.record.pid);
  const Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), kMembershipLimit);
  // It had not ended when it was read, so that the number was its own.
  const Result<bool> ended = os::wait_exit(entry.target.get(), 0);
  return text && ended && !*ended && entry.cgroup->follow(*text).value_or(false);
}

Result<> open_root(Entry& entry) {
  const std::string path = formatted("/proc/{}/root", entry.record.pid);
  entry.root.reset(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!entry.root) return system_error(errno, "open the container's root");
  // It had not ended when it was opened, so that the number was its own.
  if (TRY(os::wait_exit(entry.target.get(), 0)))
    return fail(ErrorKind::WrongState, "the container has ended");
  entry.prepared.root = entry.root.get();
  return {};
}

bool is_about_cgroup(pid_t result) { return result == -EBUSY || result == -EOPNOTSUPP; }

// As os::clone_child: it returns in both processes.
pid_t clone_into(Entry& entry, CgroupEntry& into, int* pidfd) {
  const pid_t pid = into.clone({.cgroup = entry.cgroup->clone_target()}, pidfd);
  if (!is_about_cgroup(pid) || !entry.sub_cgroups.empty() || !follow_init(entry)) return pid;
  return into.clone({.cgroup = entry.cgroup->clone_target()}, pidfd);
}

std::unexpected<Error> clone_error(const Entry& entry, pid_t result) {
  if (is_about_cgroup(result)) return std::unexpected(entry.cgroup->entry_error(-result));
  return system_error(-result, "clone into the container");
}

// The process itself comes with the joiner's first words.
Result<> launch_through_joiner(Entry& entry) {
  int pidfd = -1;
  CgroupEntry into(entry.cgroup.get(), entry.prepared.process);
  const pid_t pid = clone_into(entry, into, &pidfd);
  if (pid == 0) init::run_enter_joiner(entry.plan, entry.prepared);
  if (pid < 0) return clone_error(entry, pid);
  entry.child = os::ChildProcess(pid, os::UniqueFd(pidfd));
  return into.admit(pid);
}

}  // namespace

Result<> adopt(Entry& entry, sync::Heard& heard) {
  os::ChildProcess joiner = std::move(entry.child);
  entry.child = os::ChildProcess(heard.packet.value, std::move(heard.fd));
  TRY(joiner.wait());
  return favour_early(entry);
}

Result<> launch(Entry& entry) {
  auto [host, inside] = TRY(os::packet_pair());
  entry.channel = sync::HostEnd(std::move(host));
  entry.prepared.process.channel = inside.get();
  entry.prepared.target = entry.target.get();
  if (entry.plan.changes_root) TRY(open_root(entry));
  const auto files = entry.cgroup->task_files();
  entry.prepared.process.task_files.assign(files.begin(), files.end());
  keep_descriptors(entry.prepared.process, entry.plan.process.preserve_fds,
                   {entry.prepared.target, entry.prepared.root, entry.prepared.gate,
                    entry.prepared.door, entry.prepared.tools});
  if (entry.plan.shape == plan::LaunchShape::Joiner) return launch_through_joiner(entry);
  NamespaceVisit visit;
  if ((entry.plan.namespaces & CLONE_NEWPID) != 0)
    TRY(visit.enter(entry.target.get(), CLONE_NEWPID, "/proc/thread-self/ns/pid"));
  int pidfd = -1;
  CgroupEntry into(entry.cgroup.get(), entry.prepared.process);
  const pid_t pid = clone_into(entry, into, &pidfd);
  if (pid == 0) init::run_enter(entry.plan, entry.prepared);
  if (pid < 0) return clone_error(entry, pid);
  entry.child = os::ChildProcess(pid, os::UniqueFd(pidfd));
  TRY(visit.leave());
  TRY(into.admit(pid));
  return favour_early(entry);
}

}  // namespace berth::engine
