// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/driver.h"
#include "driver/spawn_keeper.h"
#include "os/fd.h"

namespace berth {

struct [[gnu::visibility("hidden")]] Box::Inner {
  Container container;
  std::string directory = {};  // of its state
  pid_t pid = 0;
  os::UniqueFd pidfd = {};
  Streams streams = Streams::Given;
  bool terminal = false;
  bool removed_at_end = false;        // and this handle is the one that is waited for
  driver::SpawnedKeeper keeper = {};  // of who has started it

  // Its first process by descriptor, checked to be that.
  Result<> find_process(pid_t process);
  // Who began to make it is dead.
  Result<bool> was_never_made() const;
  // The keeper may remove it now; returns when it has.
  void release_keeper();
};

}  // namespace berth
