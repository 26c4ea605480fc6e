// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "berth/error.h"
#include "berth/events.h"
#include "berth/mounts.h"
#include "berth/network.h"
#include "berth/process.h"
#include "berth/resources.h"
#include "berth/stats.h"
#include "berth/update.h"

namespace [[gnu::visibility("default")]] berth {

// Of a container's life. Paused is what its cgroup says; the others are runtime-spec's.
enum class Status { Creating, Created, Running, Paused, Stopped };
// "creating" and so on.
std::string_view to_string(Status status);

// The state document of runtime-spec (runtime.md, "State") and what runc's `state` adds.
struct ContainerState {
  std::string oci_version = {};
  std::string id = {};
  pid_t pid = 0;  // 0 when stopped
  Status status = Status::Stopped;
  std::string bundle = {};
  std::string rootfs = {};
  std::string created = {};  // RFC 3339, UTC, nanoseconds
  StringMap annotations = {};
  std::string owner = {};  // user name, or "#uid" when there is none

  // As `berth state` prints it: two spaces of indent, members in runc's order.
  std::string to_json(int indent = 2) const;
};

// Who gets a signal.
enum class SignalScope {
  Init,  // the container's first process
  All,   // every process of its cgroup
};

// A container by id. Cheap to open; every call reads the truth from disk and the kernel, so several
// programs and threads may hold the same container, each by a handle of its own: a handle is used
// by one thread at a time. Any call fails with NotFound when the container is gone.
class Container {
 public:
  Container(Container&&) noexcept;
  Container& operator=(Container&&) noexcept;
  ~Container();

  // As it was given to create.
  const std::string& id() const;
  // All that is known of it. Without owner: Factory::list fills that.
  Result<ContainerState> state() const;
  // The status alone.
  Result<Status> status() const;

  // Created -> Running; returns when the program's execve has happened, and with a notify_socket
  // (see CreateOptions) when the program is ready.
  Result<> start(const std::string& notify_socket = {});
  // One more process in a Running container (or a Created one), in all of its namespaces; returns
  // when the program's execve has happened. It is the caller's child. InvalidUse and InvalidConfig
  // for what is wrong in wanted, WrongState for the container's status.
  Result<Process> exec(const ProcessSpec& wanted);
  // Has a process that exec made with Hold::Container execute its program, and returns when it has.
  // By any program, once. WrongState: there is no such process held here, or it was killed.
  Result<> start_process(pid_t pid);
  // Created, Running, Paused; else WrongState.
  Result<> signal(int signal_number, SignalScope scope = SignalScope::Init);
  // Running -> Paused: freezes all processes of its cgroup, and returns when they stand.
  Result<> pause();
  // Paused -> Running.
  Result<> resume();
  // Changes limits, and attributes of the processes, while they run: Created, Running, Paused. All
  // or nothing: on failure the old values are back, and the message says if one could not be put
  // back. InvalidConfig names the member (pointer() is into config.json), WrongState a memory limit
  // below the usage; System has the knob, the value, the usage and the kernel's reason. The record
  // holds what is in force, so that exec and a later update start from it.
  Result<> update(const Update& changes);
  // Mounts into the container while it runs or is paused, all of them or none; source and
  // filesystem are of the caller's namespaces. The same request again, with the same token, finds
  // it done. The request's token, made up when empty. Root only. AlreadyExists: the token is
  // another request's, or there is a live mount at a destination.
  Result<std::string> add_mounts(const std::vector<LiveMount>& wanted,
                                 const std::string& token = {});
  // In the place of what is mounted on each destination, which goes: without a moment in which
  // nothing is there (Linux 6.5; before that in some microseconds). As add_mounts otherwise.
  // NotFound: nothing is mounted there, or nothing of berth's and force is not given.
  Result<std::string> replace_mounts(const std::vector<LiveMount>& wanted,
                                     const std::string& token = {}, bool force = false);
  // Changes attributes, all of them or none. NotFound as replace_mounts.
  Result<> change_mounts(const std::vector<LiveMountChange>& wanted, bool force = false);
  // Unmounts what was added: by destination, or all of a token. NotFound: berth has not added it;
  // with force whatever is mounted on a destination. WrongState: something else lies on it. All of
  // them or none.
  Result<> remove_mounts(const std::vector<std::string>& names, bool force = false);
  // Those that were added.
  Result<std::vector<LiveMountState>> mounts() const;

  // Makes interfaces in its network namespace, while it runs or is paused, and returns their names.
  // All or nothing. They go with the container. InvalidConfig names the member, NotFound a link
  // that is not there, AlreadyExists a name that is taken.
  Result<std::vector<std::string>> attach_interfaces(const std::vector<Interface>& wanted);
  // Those that berth has made, now or when the container was created. NotFound, before one is
  // removed, when another is named.
  Result<> detach_interfaces(const std::vector<std::string>& names);
  // All network devices in its network namespace, those of the host where it shares that.
  Result<std::vector<InterfaceState>> interfaces() const;
  // Of its cgroup, in the caller's pid namespace.
  Result<std::vector<pid_t>> processes() const;
  // What the kernel counts for its cgroup now. WrongState when it has ended.
  Result<Stats> stats() const;
  // From now on, until its first process has ended. WrongState when it has. A container that is
  // being created is waited for.
  Result<EventStream> events() const;
  // Blocks until the first process has ended: at once when it has. Any number of callers may wait.
  // NotFound when it is deleted before it was made.
  Result<ExitRecord> wait();
  // Of a container that has ended (else WrongState): what was kept, or what its cgroup still says.
  Result<ExitRecord> exit_record() const;
  // By the parent of the first process, who has reaped it (Process::wait) and knows best.
  Result<ExitRecord> record_exit(ExitStatus status);

  // Stopped or Created -> gone: cgroup, record, then the poststop hooks. With force also from any
  // other status, and from a half-made or damaged record. May be repeated; fails while anything of
  // the container is left.
  Result<> destroy(bool force = false);

  struct Inner;
  explicit Container(std::unique_ptr<Inner> inner);

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth
