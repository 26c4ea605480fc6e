// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

// The annotations of config.json that make berth do something (docs/extensions.md). An engine must
// not let its users set them: `berth features` lists them as unsafe.
namespace berth::spec {

// All of berth's own begin so, and no other may.
inline constexpr std::string_view kOwnAnnotations = "run.berth.";

std::span<const std::string_view> annotations_with_effect();

}  // namespace berth::spec
