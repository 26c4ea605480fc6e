// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace berth::driver {

// The seccomp object of `berth try`: allows all but what a program in a container has no business
// with.
std::string try_seccomp();

}  // namespace berth::driver
