// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "spec/spec.h"

namespace berth::driver {

// The filter of a box: allows all but what a program in a container has no business with.
spec::Seccomp default_seccomp();

}  // namespace berth::driver
