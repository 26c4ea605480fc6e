// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"

namespace berth::engine {

// Answers init until it is ready: the messages that the plan lets expect, in their order.
Result<> serve_init(Creation& creation);

// Sets what only the host may, writes the record, then lets init go on: to the gate, or to the
// program (start_now).
Result<> record_state(Creation& creation);

}  // namespace berth::engine
