// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/error.h"
#include "plan/host_facts.h"
#include "plan/plan.h"
#include "spec/spec.h"

namespace berth::plan {

// Whether the container is in a mount namespace that it must not change: the host's, which would
// have all that is mounted, or a joined one that belongs to a user namespace outside of its own.
bool borrows_mounts(const spec::Spec& spec, const HostFacts& facts);

// Fails with the pointer of what would have to be mounted there.
Result<> check_borrowed_mounts(const spec::Spec& spec, const Plan& plan);

}  // namespace berth::plan
