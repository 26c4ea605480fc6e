// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "berth/error.h"
#include "berth/mounts.h"

namespace [[gnu::visibility("default")]] berth {

// A container that runs, whoever runs it.
struct RunningContainer {
  std::string id = {};  // empty: nothing in its cgroup looks like one
  pid_t pid = 0;        // of a process in it
  // Where its record is, when it is berth's. What is mounted is then in the record, too.
  std::string state_root = {};
  // While it is made and its root is not yet pivoted to (a hook of create): the way to its root.
  std::string rootfs = {};
};

// All of the host, found by their mount namespaces, ids by their cgroups; no engine is asked. What
// has a mount namespace but neither a pid namespace nor an id (a service of systemd) is left out,
// unless it has files of lxcfs.
Result<std::vector<RunningContainer>> find_containers();

// Those of berth that have a process, by their records. One whose record cannot be read is left
// out.
Result<std::vector<RunningContainer>> own_containers(const std::string& state_root);

// A container of another runtime, as far as berth changes it: its mounts. What was added is
// recorded in /run/berth-mounts until it is removed or the container has ended.
class ForeignContainer {
 public:
  // WrongState: it has ended, or its mounts are those of the caller. Root only.
  static Result<ForeignContainer> open(const RunningContainer& container);
  ForeignContainer(ForeignContainer&&) noexcept;
  ForeignContainer& operator=(ForeignContainer&&) noexcept;
  ~ForeignContainer();

  // As those of Container (berth/container.h).
  Result<std::string> add_mounts(const std::vector<LiveMount>& wanted,
                                 const std::string& token = {});
  Result<std::string> replace_mounts(const std::vector<LiveMount>& wanted,
                                     const std::string& token = {}, bool force = false);
  Result<> change_mounts(const std::vector<LiveMountChange>& wanted, bool force = false);
  Result<> remove_mounts(const std::vector<std::string>& names, bool force = false);
  Result<std::vector<LiveMountState>> mounts() const;

 private:
  struct Inner;
  explicit ForeignContainer(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth
