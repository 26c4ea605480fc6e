// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace berth::spec {

// What `berth features` prints (runtime-spec, features.md and features-linux.md; 4 spaces a level):
// what this program knows, whatever the kernel has. Only supportedFlags of seccomp is the kernel's.
std::string features_json(std::span<const std::string_view> supported_seccomp_flags);

}  // namespace berth::spec
