// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/container_inner.h"
#include "engine/live/shared_work.h"
#include "init/live_mounts.h"
#include "os/fd.h"
#include "os/mountinfo.h"

namespace berth::engine {

using LiveShared = SharedWork<init::LiveWork, init::LiveItem>;
using MountEntries = std::vector<os::MountEntry>;

// A container that runs, and is locked where it is to be changed.
struct Inside {
  StateDir directory;
  Snapshot snapshot;
  os::UniqueFd init;
  os::UniqueFd root;
  uid_t owner = 0;  // its root, as the host sees it
  gid_t group = 0;

  Record& record() { return snapshot.record; }
  Result<> save() { return directory.replace(snapshot.record, snapshot.config); }
  Result<MountEntries> mounts() const;
};
// WrongState: it does not run.
Result<Inside> enter(StateDir directory);

bool is_there(const MountEntries& mounts, const AddedMount& added);

// Has a process in the mount namespace do it: all or nothing.
Result<> work_in(const Inside& inside, init::LiveWork& work);
// All of them or none.
Result<> detach(const Inside& inside, const std::vector<AddedMount>& leaving);

}  // namespace berth::engine
