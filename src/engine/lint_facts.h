// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include "berth/error.h"
#include "plan/lint.h"

namespace berth::engine {

// Looks at the host for what this config asks for. What may not be looked at counts as there.
Result<plan::LintFacts> gather_lint_facts(const spec::Spec& spec, const std::string& bundle);

}  // namespace berth::engine
