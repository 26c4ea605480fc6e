// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>

#include "berth/driver.h"
#include "berth/error.h"
#include "driver/spawn_keeper.h"

namespace berth::driver {

struct KeeperOrders {
  // Makes the program, a child of the caller. on_warning is the keeper's, to be used by the
  // factory.
  std::function<Result<Started>(std::function<void(const std::string&)> on_warning)> start = {};
  std::string directory = {};  // of the container's state: where who attaches finds the keeper
  Streams streams = Streams::Given;
  int channel = -1;      // to who is told how it went (keeper_channel.h)
  int client = -1;       // somebody attached from the start; -1: nobody
  bool is_first = true;  // the container's first process, of which the exit is recorded
  bool remove_at_end = false;
};

// A program from its start to its end, by the process that is its parent: of one thread, with the
// standard streams that the program gets. Returns when all is done; a failure to start was told.
[[gnu::cold]] Result<> keep(KeeperOrders orders);

// The same by a fork of the caller, who has one thread, and whose executable is protected: in a
// session of its own. client is not looked at.
[[gnu::cold]] Result<SpawnedKeeper> fork_keeper(KeeperOrders orders);

}  // namespace berth::driver
