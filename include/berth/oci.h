// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace [[gnu::visibility("default")]] berth {

// The runtime-spec that this is written for.
inline constexpr const char* kSpecVersion = "1.3.0";

// The text of `berth spec`: the field's usual config.json template.
std::string default_config(bool rootless);

// The text of `berth features` (runtime-spec, features.md): what this program knows, whatever the
// kernel has.
std::string features();

}  // namespace berth
