// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"
#include "spec/spec.h"

namespace berth::driver {

// A device node of the caller's as a device of config.json. InvalidUse when it is none.
Result<spec::Device> device_at(const std::string& path);

// Every device node below the caller's /dev, but for terminals and what a container has of its own.
Result<std::vector<spec::Device>> host_devices();

}  // namespace berth::driver
