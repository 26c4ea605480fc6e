// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"
#include "init/prepared.h"
#include "plan/plan.h"

namespace berth::engine {

// argv, envp, keyring, label and filter of a process, pointing into the plan. home: memory for
// HOME=, kept by the caller.
void prepare_process(const plan::ProcessPlan& plan, const std::string& id,
                     const security::SeccompProgram& seccomp, std::string& home,
                     init::PreparedProcess& prepared);

// Checks and sets what the program gets as its standard streams. InvalidUse for what is not open.
Result<> give_streams(const StandardStreams& wanted, init::PreparedProcess& prepared);

// Sets `kept` once all descriptors are known: those named in prepared, the caller's preserved ones,
// and `more`.
void keep_descriptors(init::PreparedProcess& prepared, int preserved, std::vector<int> more);

// The rest of what init needs: namespaces, mounts (prepare_mounts.h), hooks, state documents.
// Descriptors go to creation.descriptors.
Result<> prepare_init(Creation& creation);

// Opens a namespace file and checks that it is one of the type (ioctl_ns(2)).
Result<os::UniqueFd> open_namespace(const plan::JoinedNamespace& joined);

}  // namespace berth::engine
