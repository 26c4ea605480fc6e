// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "plan/host_facts.h"

namespace berth::engine {

enum class Facts {
  All,
  OfProcesses,  // all that a further process of a container needs: not where cgroups are
};

// Looks at the host once, for the planners.
Result<plan::HostFacts> gather_facts(Facts wanted = Facts::All);
// As root of this host would find it: for who only wants to know what would be done.
void pretend_root(plan::HostFacts& facts);

}  // namespace berth::engine
