// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"

namespace berth::engine {

// Clones init in the shape that the plan chose; creation.init and creation.channel are set
// afterwards.
Result<> launch(Creation& creation);

}  // namespace berth::engine
