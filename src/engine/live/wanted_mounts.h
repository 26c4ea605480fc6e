// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "engine/live/inside.h"
#include "plan/plan.h"

// What requests for live mounts have in common.
namespace berth::engine {

Result<std::string> new_token();

// As a plan for a container has them, checked by the same rules.
Result<std::vector<plan::MountItem>> plan_mounts(const Inside& inside,
                                                 const std::vector<LiveMount>& wanted);
// AlreadyExists: a place is named twice.
Result<> check_places(const std::vector<LiveMount>& wanted);

// What is mounted on a path: ours, or with force whatever it is. NotFound otherwise.
Result<AddedMount> standing(const Inside& inside, const std::string& path, bool force);

// After a process that was killed in the middle of a replacement: the new one stays where it is
// there, else the old one.
Result<> settle(Inside& inside);

}  // namespace berth::engine
