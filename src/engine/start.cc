// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "core/context.h"
#include "engine/clock.h"
#include "engine/container_inner.h"
#include "engine/create_plan.h"
#include "engine/creation.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "engine/gate.h"
#include "hooks/run_hooks.h"

namespace berth {
namespace {

using engine::Snapshot;
using engine::StateDir;

Result<> check_startable(const Snapshot& snapshot) {
  switch (snapshot.status) {
    case Status::Created: return {};
    case Status::Stopped:
      return fail(ErrorKind::WrongState, "cannot start a container that has stopped");
    case Status::Creating:
      return fail(ErrorKind::WrongState, "cannot start a container that is being created");
    default: return fail(ErrorKind::WrongState, "cannot start an already running container");
  }
}

std::string_view without_newlines(std::string_view text) {
  return text.substr(0, text.find_last_not_of('\n') + 1);
}

Result<> judge(const Snapshot& snapshot, const engine::GateWords& words, int init) {
  const engine::Record& record = snapshot.record;
  if (words.failure) {
    const plan::Plan plan = TRY(engine::plan_of_record(record, snapshot.config));
    return std::unexpected(
        engine::explain(plan.init, *words.failure, without_newlines(words.text)));
  }
  if (words.executing)
    return engine::check_executed({record.pid, record.start_time, init}) |
           context("container not running");
  return Result<>(engine::ended_early(record.pid)) | context("container not running");
}

}  // namespace

Result<> Container::start(const std::string& notify_socket) {
  const StateDir directory = TRY(inner_->open());
  TRY(directory.lock());
  const Snapshot snapshot = TRY(engine::look(directory, true));
  TRY(check_startable(snapshot));
  const int init = snapshot.init.get();
  engine::NotifyRelay notify;
  if (!notify_socket.empty() && engine::has_notify_directory(directory))
    notify = TRY(engine::NotifyRelay::open(directory, notify_socket));
  const int64_t now = engine::now_ns();
  const engine::GateWords words = TRY(engine::pass_gate(directory, engine::kGateFile, init));
  TRY(judge(snapshot, words, init));
  TRY(directory.write_started(now));
  TRY(engine::run_poststart(snapshot.record, snapshot.config, init));
  if (!notify) return {};
  directory.unlock();  // the program may take its time
  const Result<> told = notify.wait(snapshot.record.pid, init);
  if (!told) inner_->warn({told.error().message()});
  return {};
}

}  // namespace berth
