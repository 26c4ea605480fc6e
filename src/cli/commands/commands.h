// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

// One function per command, each in the file of its name. Returns the exit code.
namespace berth::cli {

Result<int> run_create(const Invocation& invocation);
Result<int> run_delete(const Invocation& invocation);
Result<int> run_events(const Invocation& invocation);
Result<int> run_exec(const Invocation& invocation);
Result<int> run_features(const Invocation& invocation);
Result<int> run_kill(const Invocation& invocation);
Result<int> run_lint(const Invocation& invocation);
Result<int> run_list(const Invocation& invocation);
Result<int> run_pause(const Invocation& invocation);
Result<int> run_plan(const Invocation& invocation);
Result<int> run_ps(const Invocation& invocation);
Result<int> run_resume(const Invocation& invocation);
Result<int> run_run(const Invocation& invocation);
Result<int> run_spec(const Invocation& invocation);
Result<int> run_start(const Invocation& invocation);
Result<int> run_state(const Invocation& invocation);
Result<int> run_try(const Invocation& invocation);
Result<int> run_update(const Invocation& invocation);

// Not in docs/man: `berth help [COMMAND]`, and what the build asks for (completions, manual pages).
Result<int> run_help(const Invocation& invocation);
Result<int> run_generate(const Invocation& invocation);

}  // namespace berth::cli
