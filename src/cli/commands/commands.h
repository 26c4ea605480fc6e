// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/options.h"

// One function per command, each in the file of its name. Returns the exit code. What is not called
// for each container is kept apart (cold), so that the others lie close together: decision 13.
namespace berth::cli {

[[gnu::cold]] Result<int> run_attach(const Invocation& invocation);
[[gnu::cold]] Result<int> run_box(const Invocation& invocation);
Result<int> run_create(const Invocation& invocation);
Result<int> run_delete(const Invocation& invocation);
[[gnu::cold]] Result<int> run_events(const Invocation& invocation);
Result<int> run_exec(const Invocation& invocation);
[[gnu::cold]] Result<int> run_features(const Invocation& invocation);
Result<int> run_kill(const Invocation& invocation);
[[gnu::cold]] Result<int> run_lint(const Invocation& invocation);
[[gnu::cold]] Result<int> run_list(const Invocation& invocation);
[[gnu::cold]] Result<int> run_lxcfs(const Invocation& invocation);
[[gnu::cold]] Result<int> run_mounts(const Invocation& invocation);
[[gnu::cold]] Result<int> run_net(const Invocation& invocation);
Result<int> run_pause(const Invocation& invocation);
[[gnu::cold]] Result<int> run_plan(const Invocation& invocation);
[[gnu::cold]] Result<int> run_ps(const Invocation& invocation);
Result<int> run_resume(const Invocation& invocation);
Result<int> run_run(const Invocation& invocation);
[[gnu::cold]] Result<int> run_spec(const Invocation& invocation);
Result<int> run_start(const Invocation& invocation);
Result<int> run_state(const Invocation& invocation);
[[gnu::cold]] Result<int> run_try(const Invocation& invocation);
[[gnu::cold]] Result<int> run_update(const Invocation& invocation);
[[gnu::cold]] Result<int> run_wait(const Invocation& invocation);

// Not in docs/man: `berth help [COMMAND]`, and what the build asks for (completions, manual pages).
[[gnu::cold]] Result<int> run_help(const Invocation& invocation);
[[gnu::cold]] Result<int> run_generate(const Invocation& invocation);
// What the driver starts for each box (driver/spawn_keeper.h).
[[gnu::cold]] Result<int> run_keep(const Invocation& invocation);

}  // namespace berth::cli
