// SPDX-License-Identifier: Apache-2.0
#include "engine/enter_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"

namespace berth::engine {

pid_t CgroupEntry::clone(const os::CloneRequest& request, int* pidfd) {
  const pid_t pid = os::clone_child(request, pidfd);
  if (pid != -EACCES || request.cgroup < 0 || !manager_->can_attach()) return pid;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return -errno;
  inside_.reset(ends[0]);
  outside_.reset(ends[1]);
  prepared_.cgroup_door = ends[0];
  prepared_.cgroup_door_outside = ends[1];
  os::CloneRequest elsewhere = request;
  elsewhere.cgroup = -1;
  return os::clone_child(elsewhere, pidfd);
}

Result<> CgroupEntry::admit(pid_t child) {
  if (!outside_) return {};
  TRY(manager_->add(child) | context("move the process into its cgroup"));
  // While our own end for reading is open: a child that has ended would make this SIGPIPE.
  const char byte = 0;
  if (::write(outside_.get(), &byte, 1) != 1) return system_error(errno, "let the process go on");
  inside_.reset();
  return {};
}

}  // namespace berth::engine
