// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "berth/error.h"
#include "spec/spec.h"

namespace berth::driver {

// "USER[:GROUP]" as numbers, by the root filesystem's own /etc/passwd and /etc/group, which are
// never opened outside of it. A user by name, or by a number that passwd knows, without GROUP has
// his groups. InvalidUse: there is no such name.
Result<spec::User> resolve_user(std::string_view text, const std::string& rootfs);

}  // namespace berth::driver
