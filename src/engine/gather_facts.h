// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "plan/host_facts.h"

namespace berth::engine {

// Looks at the host once, for the planners.
Result<plan::HostFacts> gather_facts();

}  // namespace berth::engine
