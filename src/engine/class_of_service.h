// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "engine/creation.h"

// linux.intelRdt: the container's processes in a class of the resctrl filesystem.
namespace berth::engine {

// Before anything is made: the record says what will be.
Result<> examine_class(Creation& creation);
Result<> make_class(Creation& creation);
// As soon as there is a process.
Result<> enter_class(const Record& record, pid_t process);

}  // namespace berth::engine
