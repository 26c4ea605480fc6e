// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "berth/error.h"
#include "plan/plan.h"

namespace berth::hooks {

// Runs hooks of the host's side one after the other (config.md, "POSIX-platform Hooks"): in the
// caller's namespaces, in the bundle's directory, with exactly their own environment and the state
// document on standard input. The first that fails ends it: the error has the hook's pointer and
// what it wrote.
Result<> run_hooks(std::span<const plan::HookItem> hooks, std::string_view state,
                   const std::string& directory);

}  // namespace berth::hooks
