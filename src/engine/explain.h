// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "berth/error.h"
#include "plan/plan.h"
#include "sync/failure.h"

namespace berth::engine {

// A child's failure in words, with the place in config.json that asked for what failed.
Error explain(const plan::InitPlan& plan, const sync::Failure& failure,
              std::string_view hook_output);
Error explain(const plan::EnterPlan& plan, const sync::Failure& failure);
// Parts of both: what concerns the process, and the annotations run.berth.*.
Error explain_process(const plan::ProcessPlan& process, const sync::Failure& failure);
Error explain_confinement(const plan::ConfinementPlan& plan, const sync::Failure& failure);

}  // namespace berth::engine
