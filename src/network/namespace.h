// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "os/fd.h"

namespace berth::network {

// Of the calling thread.
[[gnu::cold]] Result<os::UniqueFd> open_own_namespace();
[[gnu::cold]] Result<os::UniqueFd> open_own_socket();
// A route socket in another network namespace: the calling thread goes there and comes back.
[[gnu::cold]] Result<os::UniqueFd> open_route_socket_in(int network_namespace);

// Whether it is the calling thread's.
[[gnu::cold]] Result<bool> is_own(int network_namespace);
// By a path the container may have been given the host's own: InvalidConfig.
[[gnu::cold]] Result<> check_other(int network_namespace);

}  // namespace berth::network
