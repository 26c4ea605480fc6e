// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"

namespace berth::engine {

// What init cannot do by itself, or not from where it is: mount sources that the host opens, user
// namespaces of id-mapped mounts. Descriptors go to creation.descriptors.
Result<> prepare_mounts(Creation& creation);

// A user namespace with these maps, for id-mapped mounts; nothing is in it.
Result<os::UniqueFd> make_user_namespace(const plan::MountIdMap& map);

}  // namespace berth::engine
