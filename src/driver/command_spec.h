// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "berth/driver.h"
#include "spec/spec.h"

namespace berth::driver {

// What is decided for a command before its config.json is written.
struct Choice {
  const Command& command;
  std::string id;
  std::string rootfs;  // absolute
  bool root = false;   // the caller's user
  std::string streams = {};
};

Result<spec::Spec> command_spec(const Choice& choice);

}  // namespace berth::driver
