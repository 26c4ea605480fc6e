// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/create_plan.h"
#include "engine/creation.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "hooks/run_hooks.h"
#include "os/file.h"
#include "sync/protocol.h"

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

// What init left in the gate, in its order: the byte that opens it when nobody took it, the byte
// before execve; or what a failed hook wrote; the coordinates of a failure.
Result<> read_words(const StateDir& directory, const Snapshot& snapshot, int init) {
  const engine::Record& record = snapshot.record;
  const os::UniqueFd words(
      ::openat(directory.fd(), engine::kGateFile, O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  if (!words) return system_error(errno, "read the start gate");
  char text[sync::kGateOutput + sizeof(sync::Failure)];
  const ssize_t size = ::read(words.get(), text, sizeof text);
  constexpr ssize_t kFailureSize = sizeof(sync::Failure);
  if (size >= kFailureSize) {
    sync::Failure failure;
    memcpy(&failure, text + (size - kFailureSize), sizeof failure);
    const plan::Plan plan = TRY(engine::plan_of_record(record, snapshot.config));
    const std::string_view before(text, static_cast<size_t>(size - kFailureSize));
    return std::unexpected(engine::explain(plan.init, failure, without_newlines(before)));
  }
  if (size == 1 && text[0] == sync::kGateExecuting)
    return engine::check_executed({record.pid, record.start_time, init}) |
           context("container not running");
  return Result<>(engine::ended_early(record.pid)) | context("container not running");
}

// init has left the gate: by execve (all is well), or by its end.
Result<> wait_for_exec(const StateDir& directory, const Snapshot& snapshot, int gate, int init) {
  pollfd events[] = {{.fd = gate, .events = 0, .revents = 0},
                     {.fd = init, .events = POLLIN, .revents = 0}};
  while ((events[0].revents & POLLERR) == 0) {
    if (::poll(events, 2, -1) < 0 && errno != EINTR)
      return system_error(errno, "wait for the program");
    if (events[1].revents != 0) break;
  }
  return read_words(directory, snapshot, init);
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
  const os::UniqueFd gate = TRY(directory.open_gate());
  if (::write(gate.get(), &sync::kGateOpened, 1) != 1)
    return system_error(errno, "open the start gate");
  Result<> result = wait_for_exec(directory, snapshot, gate.get(), init);
  directory.remove_gate();
  TRY(std::move(result));
  TRY(engine::run_poststart(snapshot.record, snapshot.config, init));
  if (!notify) return {};
  directory.unlock();  // the program may take its time
  const Result<> told = notify.wait(snapshot.record.pid, init);
  if (!told) inner_->warn({told.error().message()});
  return {};
}

}  // namespace berth
