// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "berth/error.h"

namespace berth {

inline constexpr const char* kSpecVersion = "1.3.0";

// The text of `berth spec`: the field's usual config.json template.
std::string default_config(bool rootless);

// The text of `berth features` (runtime-spec, features.md): what this program knows, whatever the
// kernel has.
std::string features();

// The config.json of `berth try`: args in a throw-away container over the host's root.
std::string try_config(const std::vector<std::string>& args, bool terminal);

}  // namespace berth
