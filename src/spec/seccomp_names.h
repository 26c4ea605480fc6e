// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace berth::spec {

// The names that runtime-spec 1.3.0 knows, sorted.
std::span<const std::string_view> seccomp_architectures();
std::span<const std::string_view> seccomp_flags();

}  // namespace berth::spec
