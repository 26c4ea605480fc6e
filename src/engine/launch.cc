// SPDX-License-Identifier: Apache-2.0
#include "engine/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "engine/class_of_service.h"
#include "engine/enter_cgroup.h"
#include "engine/favour_process.h"
#include "engine/prepare.h"
#include "engine/visit.h"
#include "init/run_init.h"
#include "os/socket.h"

namespace berth::engine {
namespace {

const char* own_file(spec::NamespaceType type) {
  switch (type) {
    case spec::NamespaceType::Pid: return "/proc/thread-self/ns/pid";
    case spec::NamespaceType::Network: return "/proc/thread-self/ns/net";
    case spec::NamespaceType::Ipc: return "/proc/thread-self/ns/ipc";
    case spec::NamespaceType::Uts: return "/proc/thread-self/ns/uts";
    case spec::NamespaceType::Cgroup: return "/proc/thread-self/ns/cgroup";
    default: return nullptr;
  }
}

Result<> visit_all(const std::vector<plan::JoinedNamespace>& list, NamespaceVisit& visit) {
  for (const plan::JoinedNamespace& joined : list) {
    const os::UniqueFd there = TRY(open_namespace(joined));
    TRY(visit.enter(there.get(), 0, own_file(joined.type)) | at(joined.pointer));
  }
  return {};
}

void take_task_files(Creation& creation) {
  const auto files = creation.cgroup->task_files();
  creation.prepared.process.task_files.assign(files.begin(), files.end());
}

// The cgroup that init is cloned into, or -1: then it enters by task_files.
Result<int> clone_target(Creation& creation) {
  if (!creation.cgroup) return -1;
  const plan::NamespacePlan& namespaces = creation.plan.host.namespaces;
  const bool elsewhere = std::ranges::any_of(namespaces.enter_first, [](const auto& joined) {
    return joined.type == spec::NamespaceType::Cgroup;
  });
  const int target = creation.cgroup->clone_target();
  if (elsewhere && target >= 0) TRY(creation.cgroup->open_procs() | at("/linux/cgroupsPath"));
  take_task_files(creation);
  return elsewhere ? -1 : target;
}

Result<> launch_directly(Creation& creation, int cgroup) {
  const plan::NamespacePlan& namespaces = creation.plan.host.namespaces;
  NamespaceVisit visit;
  TRY(visit_all(namespaces.enter_first, visit));
  int pidfd = -1;
  CgroupEntry entry(creation.cgroup.get(), creation.prepared.process);
  const pid_t pid = entry.clone({.flags = namespaces.clone_flags, .cgroup = cgroup}, &pidfd);
  if (pid == 0) init::run_init(creation.plan.init, creation.prepared);
  if (pid < 0) {
    TRY(visit.leave());
    return system_error(-pid, "clone init into its namespaces");
  }
  creation.init = os::ChildProcess(pid, os::UniqueFd(pidfd));
  TRY(visit.leave());
  TRY(entry.admit(pid));
  TRY(enter_class(creation.record, pid));
  return set_oom_score(creation.plan.init.process, pid);
}

// The joiner's first words carry init's pidfd; then it ends.
Result<> launch_through_joiner(Creation& creation, int cgroup) {
  int pidfd = -1;
  CgroupEntry entry(creation.cgroup.get(), creation.prepared.process);
  const pid_t pid = entry.clone({.cgroup = cgroup}, &pidfd);
  if (pid == 0) init::run_joiner(creation.plan.init, creation.prepared);
  if (pid < 0) return system_error(-pid, "clone the joiner");
  creation.init = os::ChildProcess(pid, os::UniqueFd(pidfd));  // until there is an init
  return entry.admit(pid);
}

// Also the capacity, which assigning an empty value would keep.
template <typename Container>
void release(Container& container) {
  container.clear();
  container.shrink_to_fit();
}

// What nobody needs any more, and what may be long. Freed after the clone, each page of it would
// first be copied.
void forget_config(Creation& creation) {
  if (creation.spec.platform.seccomp) release(creation.spec.platform.seccomp->rules);
  const Record& record = creation.record;
  // The longest comes last: with it, the allocator joins what was freed before.
  if (!record.has_poststart && !record.has_poststop) release(creation.config);
}

}  // namespace

Result<> make_network(Creation& creation) {
  if (creation.plan.host.namespaces.host_flags == 0) return {};
  NamespaceVisit visit;
  const os::UniqueFd network =
      TRY(visit.make(CLONE_NEWNET, own_file(spec::NamespaceType::Network)));
  TRY(visit.leave());
  Result<> said = creation.channel.network(network.get());
  // An init that has failed already does not listen: its last words are heard by serve_init.
  const int error = said ? 0 : said.error().os_error();
  if (error == EPIPE || error == ECONNRESET) return {};
  return said;
}

Result<> launch(Creation& creation) {
  auto [host, inside] = TRY(os::packet_pair());
  creation.channel = sync::HostEnd(std::move(host));
  creation.prepared.process.channel = inside.get();
  init::PreparedInit& prepared = creation.prepared;
  std::vector<int> more{prepared.gate, prepared.hook_output, prepared.processes};
  more.insert(more.end(), prepared.joined.begin(), prepared.joined.end());
  more.insert(more.end(), prepared.mount_sources.begin(), prepared.mount_sources.end());
  more.insert(more.end(), prepared.id_maps.begin(), prepared.id_maps.end());
  keep_descriptors(prepared.process, creation.plan.init.process.preserve_fds, std::move(more));
  const int cgroup = TRY(clone_target(creation));
  forget_config(creation);
  const bool directly = creation.plan.host.namespaces.shape == plan::LaunchShape::Direct;
  TRY(directly ? launch_directly(creation, cgroup) : launch_through_joiner(creation, cgroup));
  creation.descriptors.clear();
  return {};
}

}  // namespace berth::engine
