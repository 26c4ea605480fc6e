// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>

#include "berth/driver.h"
#include "cli/detach_keys.h"
#include "cli/foreground.h"

namespace berth::cli {

// A program whose streams a keeper holds.
struct KeptProgram {
  Attachment attachment;
  bool terminal = false;
  std::function<void(int)> signal = {};  // to the program
};

struct AttachSettings {
  DetachKeys keys = {};
  bool input = true;  // standard input goes to the program
};

// Connects our standard streams with the program's until it ends, or until we leave: nullopt. Our
// terminal is raw meanwhile if the program has one; signals are passed on.
Result<std::optional<ExitStatus>> stay_attached(KeptProgram program, const Signals& signals,
                                                AttachSettings settings);
Result<std::optional<ExitStatus>> stay_attached(Box& box, const Signals& signals,
                                                AttachSettings settings);

}  // namespace berth::cli
