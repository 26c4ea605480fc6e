// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace berth::spec {

// What `berth features` prints (runtime-spec, features.md and features-linux.md; 4 spaces a level):
// what this program knows, whatever the kernel has.
std::string features_json();

}  // namespace berth::spec
