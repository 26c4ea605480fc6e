// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include "cgroup/manager.h"
#include "init/prepared.h"
#include "os/fd.h"
#include "os/process.h"

namespace berth::engine {

// How a child gets into the cgroup that it is cloned for. The kernel puts it there, unless it does
// not let the caller (EACCES: a user whose session and whose systemd have no cgroup in common that
// is the user's). Then the child waits in its first step until the manager has had it moved.
class CgroupEntry {
 public:
  CgroupEntry(cgroup::CgroupManager* manager, init::PreparedProcess& prepared)
      : manager_(manager), prepared_(prepared) {}

  // As os::clone_child: it returns in both processes.
  pid_t clone(const os::CloneRequest& request, int* pidfd);
  // In the parent, afterwards.
  Result<> admit(pid_t child);

 private:
  cgroup::CgroupManager* manager_;
  init::PreparedProcess& prepared_;
  os::UniqueFd inside_ = {}, outside_ = {};
};

}  // namespace berth::engine
