// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "os/fd.h"

namespace berth::os {

// The kernel's log from now on (/dev/kmsg; root, or CAP_SYSLOG). Where it may not be read there is
// nothing in it: what it tells is an addition to what can be known otherwise.
class KernelLog {
 public:
  static KernelLog open_at_end();

  // The messages since the last call, without their prefix. Never waits.
  std::vector<std::string> take();

 private:
  UniqueFd file_;
};

}  // namespace berth::os
