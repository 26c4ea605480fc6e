// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "init/live_mounts.h"
#include "os/path.h"

// The pieces of live_mounts.cc: what is done in the mount namespace. -1 when it failed and was
// told.
namespace berth::init {

struct Place {
  LiveWork& work;
  os::RootDir root;

  int fail(size_t index, LiveAction action, int error) const {
    work.index = index;
    work.action = action;
    work.error = error < 0 ? -error : error;
    return -1;
  }
};

// The mount itself, open: what lies on the target must be it and nothing else.
int find_mount(const Place& place, size_t index);

// live_changes.cc. All of them, or it is as before.
int replace_all(const Place& place);
int change_all(const Place& place);

}  // namespace berth::init
