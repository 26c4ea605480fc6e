// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"

namespace berth::engine {

// What init cannot do by itself, or not from where it is: mount sources that the host opens, user
// namespaces of id-mapped mounts. Descriptors go to creation.descriptors.
Result<> prepare_mounts(Creation& creation);

}  // namespace berth::engine
