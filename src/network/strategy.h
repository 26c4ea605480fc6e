// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"

namespace berth::network {

// One way to give a container network. All are validated before the first acts.
class NetworkStrategy {
 public:
  virtual ~NetworkStrategy() = default;

  virtual Result<> validate() = 0;
  // From the host's side, once the container's network namespace exists.
  virtual Result<> attach(int network_namespace) = 0;
  // Undoes, as far as what was given is still there: harmless when repeated. network_namespace: -1
  // when it has ended.
  virtual Result<> release(int network_namespace) = 0;
};

}  // namespace berth::network
