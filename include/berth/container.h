// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "berth/error.h"
#include "berth/process.h"
#include "berth/resources.h"
#include "berth/stats.h"

namespace berth {

enum class Status { Creating, Created, Running, Paused, Stopped };
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

enum class SignalScope {
  Init,  // the container's first process
  All,   // every process of its cgroup
};

// A container by id. Cheap to open; every call reads the truth from disk and the kernel, so several
// programs may hold the same container.
class Container {
 public:
  Container(Container&&) noexcept;
  Container& operator=(Container&&) noexcept;
  ~Container();

  const std::string& id() const;
  Result<ContainerState> state() const;
  Result<Status> status() const;

  // Created -> Running; returns when the program's execve has happened, and with a notify_socket
  // (see CreateOptions) when the program is ready.
  Result<> start(const std::string& notify_socket = {});
  Result<Process> exec(const ProcessSpec& wanted);  // Running
  Result<> signal(int signal_number,
                  SignalScope scope = SignalScope::Init);  // Created, Running, Paused
  Result<> pause();
  Result<> resume();
  Result<> update(const Resources& resources);
  Result<std::vector<pid_t>> processes() const;  // of its cgroup, in the caller's pid namespace
  Result<Stats> stats() const;
  // A descriptor that becomes readable when the container's cgroup met an out-of-memory kill, and
  // the count so far.
  Result<int> oom_fd() const;
  Result<uint64_t> oom_kills() const;

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
