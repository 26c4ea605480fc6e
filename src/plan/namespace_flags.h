// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "spec/spec.h"

namespace berth::plan {

// CLONE_NEW* of a type.
uint64_t clone_flag(spec::NamespaceType type);

}  // namespace berth::plan
