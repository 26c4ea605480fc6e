// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "berth/mounts.h"
#include "json/decode.h"
#include "spec/spec.h"

namespace berth {

std::span<const json::Field> fields(const LiveMount*);

}  // namespace berth

namespace berth::spec {

// As an element of "mounts".
[[gnu::cold]] Mount mount_of(const LiveMount& mount);

}  // namespace berth::spec
