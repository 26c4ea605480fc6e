// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "engine/gate.h"
#include "os/process.h"

namespace berth {
namespace {

std::unexpected<Error> not_held(pid_t pid) {
  return fail(ErrorKind::WrongState, "process {} is not held in this container", pid);
}

Result<> check_thawed(const engine::Snapshot& snapshot) {
  if (snapshot.status != Status::Paused) return {};
  return fail(ErrorKind::WrongState, "cannot start a process in a paused container: resume it");
}

}  // namespace

Result<> Container::start_process(pid_t pid) {
  const engine::StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  TRY(check_thawed(TRY(engine::look(directory))));
  const Result<os::UniqueFd> pidfd = os::open_pidfd(pid);
  const std::optional<uint64_t> started = os::start_time(pid);
  if (!pidfd || !started) return not_held(pid);
  const std::string gate = engine::gate_of(pid, *started);
  Result<engine::GateWords> words = engine::pass_gate(directory, gate, pidfd->get());
  if (!words && words.error().kind() == ErrorKind::NotFound) return not_held(pid);
  const engine::GateWords said = TRY(std::move(words));
  if (said.failure) {
    // All that can fail after the gate is execve: the program's name, after the byte that says so,
    // is what the error is about.
    plan::EnterPlan plan;
    plan.process.args.push_back(said.text.substr(std::min<size_t>(1, said.text.size())));
    return std::unexpected(engine::explain(plan, *said.failure));
  }
  if (!said.executing) return engine::ended_early(pid);
  return engine::check_executed({.pid = pid, .start_time = *started, .pidfd = pidfd->get()});
}

}  // namespace berth
