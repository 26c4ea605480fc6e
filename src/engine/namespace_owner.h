// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "spec/spec.h"

namespace berth::engine {

// Whether the config joins a mount namespace together with a user namespace that it does not belong
// to. False as well when one of them cannot be looked at: who joins it will say why.
bool joins_foreign_mounts(const spec::Spec& spec);

}  // namespace berth::engine
