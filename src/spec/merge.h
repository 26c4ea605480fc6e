// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "berth/update.h"
#include "spec/spec.h"

namespace berth::spec {

// The config that says what holds after an update: what `changes` sets, over what `config` says.
// Limits of devices are replaced device by device, those of `unified` file by file.
void merge(const Update& changes, Spec& config);

}  // namespace berth::spec
