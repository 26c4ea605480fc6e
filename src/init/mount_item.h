// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <unistd.h>

#include "init/step.h"

namespace berth::init {

// One mount of the plan while it is made.
struct MountContext {
  InitContext& init;
  const plan::MountItem& item;
  size_t index;

  // What is left open is closed by the execve, in one go; of many mounts it would be too much.
  void close_of_many(int one, int other = -1) const {
    constexpr size_t kFew = 8;
    if (index < kFew) return;
    ::close(one);
    if (other >= 0) ::close(other);
  }

  std::unexpected<Failure> failed(Action action, int os_error, int detail = 0) const {
    return failure(Step::MountFilesystems, os_error, static_cast<int>(index), action, detail);
  }
};

// The last act of each kind: refuses what must not be covered, and says which side is no directory.
StepResult attach(const MountContext& mount, int fd, int target);
StepResult set_propagations(const MountContext& mount, int fd);
StepResult change_attached(const MountContext& mount, int fd);  // attr_set and attr_clear
// The older way to mount an overlay of many layers on target. Where it does not work either, the
// newer one's answer counts.
StepResult mount_layers(const MountContext& mount, int target, const Failure& refused);
StepResult mount_cgroup_v1(const MountContext& mount);
StepResult mount_cgroup_v2(const MountContext& mount);

}  // namespace berth::init
