// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "berth/driver.h"
#include "os/fd.h"

namespace berth::driver {

// The keeper's descriptors after the standard ones: to the driver, the text of the config, who is
// attached from the start.
enum : int { kChannel = 3, kConfig = 4, kClient = 5, kEnd = 6 };

struct KeeperCall {
  std::string program;
  const FactoryOptions& factory;
  std::string id;
  std::string bundle;
  std::string config;  // its text
  Streams streams = Streams::Given;
  int given[3] = {0, 1, 2};
  bool attach = false;
  bool overlay = false;
  bool remove_at_end = false;
};

// The caller's ends.
struct SpawnedKeeper {
  os::UniqueFd channel = {};
  os::UniqueFd client = {};   // attached from the start
  os::UniqueFd ends[3] = {};  // of the pipes: writes to standard input, reads the others
};

// Of who is attached from the start.
Attachment take_client(SpawnedKeeper& keeper);

// Whoever waited for the end has seen it; returns when the keeper has done the rest and ended.
void await_keeper(SpawnedKeeper& keeper);

// An absolute path of the berth command.
Result<std::string> find_program(const std::string& wanted);

// A keeper that is nobody's child, in a session of its own. From a program with any number of
// threads.
Result<SpawnedKeeper> spawn_keeper(const KeeperCall& call);

}  // namespace berth::driver
