// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"

namespace berth::engine {

// Clones init in the shape that the plan chose; creation.init and creation.channel are set
// afterwards.
Result<> launch(Creation& creation);

// Makes the network namespace, where that is the host's part, and hands it to init.
Result<> make_network(Creation& creation);

}  // namespace berth::engine
