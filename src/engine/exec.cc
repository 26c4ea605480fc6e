// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/create_plan.h"
#include "engine/entry.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "engine/favour_process.h"
#include "engine/gate.h"
#include "engine/prepare.h"
#include "os/file.h"
#include "os/socket.h"

namespace berth {
namespace {

using engine::Entry;
using engine::Snapshot;
using engine::StateDir;
using sync::Message;

Result<> pass_listener(Entry& entry, int number) {
  const os::UniqueFd listener(
      static_cast<int>(::syscall(SYS_pidfd_getfd, entry.child.pidfd(), number, 0)));
  if (!listener) return system_error(errno, "fetch the seccomp listener");
  const spec::Seccomp& profile = *entry.spec.platform.seccomp;
  const spec::State state = engine::to_spec(engine::state_of(entry.record, Status::Running));
  const std::string text =
      spec::seccomp_state_json(state, entry.child.pid(), profile.listener_metadata);
  TRY(os::send_descriptor(profile.listener_path, listener.get(), text) |
      context("failed to connect with seccomp agent") | at("/linux/seccomp/listenerPath"));
  return entry.channel.listener_sent();
}

Result<> answer(Entry& entry, sync::Heard& heard) {
  if (heard.packet.message == Message::InitPid) return engine::adopt(entry, heard);
  if (heard.packet.message == Message::SeccompListener)
    return pass_listener(entry, heard.packet.value);
  if (heard.packet.message != Message::Console) return {};
  if (entry.wanted.console_socket.empty()) {
    entry.console = std::move(heard.fd);
    return {};
  }
  return os::send_descriptor(entry.wanted.console_socket, heard.fd.get(), "/dev/ptmx");
}

// Nothing is between the process's last words and its program that the host would have to do then:
// it is told to go on before it asks, and does not wait. A wanted policy may need the cgroup, which
// it enters itself.
bool may_go_on(const Entry& entry) {
  return entry.wanted.hold == Hold::None && !entry.door &&
         entry.plan.shape == plan::LaunchShape::Direct && !entry.plan.process.terminal &&
         !entry.prepared.process.seccomp_listener && !entry.plan.process.scheduler &&
         !entry.plan.process.io_priority;
}

Result<> favour(const Entry& entry) {
  return engine::favour_process(entry.plan.process, entry.child.pid(),
                                !entry.prepared.process.sets_rlimits);
}

Result<> send_ahead(Entry& entry) {
  if (!may_go_on(entry)) return {};
  TRY(favour(entry));
  Result<> said = entry.channel.start();
  // Who is dead already has left its last words.
  if (!said && said.error().os_error() != EPIPE && said.error().os_error() != ECONNRESET)
    return said;
  entry.goes_on = true;
  return {};
}

Result<> serve(Entry& entry) {
  const sync::Conversation conversation{.joiner = entry.plan.shape == plan::LaunchShape::Joiner,
                                        .console = entry.plan.process.terminal,
                                        .listener = entry.prepared.process.seccomp_listener};
  for (const Message expected : sync::expected_messages(conversation)) {
    sync::Heard heard = TRY(entry.channel.hear(expected));
    if (heard.packet.message == Message::Failed)
      return std::unexpected(engine::explain(entry.plan, heard.packet.failure));
    if (heard.packet.message != expected)
      return fail(ErrorKind::Internal, "the new process said something unexpected");
    TRY(answer(entry, heard));
  }
  return {};
}

// Who the process is, for those who asked. The pid file is last: it says that all is well.
Result<> tell(const Entry& entry) {
  const ProcessSpec& wanted = entry.wanted;
  if (!wanted.pidfd_socket.empty())
    TRY(os::send_descriptor(wanted.pidfd_socket, entry.child.pidfd(), "setns"));
  if (wanted.pid_file.empty()) return {};
  const std::string pid = std::to_string(entry.child.pid());
  return os::replace_file_at(AT_FDCWD, wanted.pid_file.c_str(), pid, 0644) |
         context("write the pid file");
}

// It waits for somebody else, and has nothing more to say to us.
Result<> leave_waiting(Entry& entry) {
  if (entry.wanted.hold == Hold::Container) TRY(entry.gate.name_for(entry.child.pid()));
  TRY(tell(entry));
  Result<> said = entry.channel.committed();
  if (!said) {
    engine::remove_pid_file(entry.wanted.pid_file, entry.child.pid());
    return engine::ended_early(entry.child.pid());
  }
  entry.gate.keep();
  return {};
}

std::unique_ptr<engine::HeldExec> hold(Entry& entry) {
  return std::make_unique<engine::HeldExec>(engine::HeldExec{.plan = std::move(entry.plan),
                                                             .channel = std::move(entry.channel),
                                                             .pid_file = entry.wanted.pid_file,
                                                             .goes_on = entry.goes_on});
}

// From here on the program runs or waits for being let go, or the error says why not; no pid file
// is left in that case.
Result<std::unique_ptr<engine::HeldExec>> let_go(Entry& entry) {
  if (!entry.goes_on) TRY(favour(entry));
  if (entry.wanted.hold == Hold::Handle) {
    TRY(tell(entry));
    return hold(entry);
  }
  if (entry.wanted.hold == Hold::Container || entry.door) {
    TRY(leave_waiting(entry));
    return nullptr;
  }
  const std::unique_ptr<engine::HeldExec> held = hold(entry);
  TRY(engine::execute(*held, entry.child.pid(), entry.child.pidfd()));
  TRY(tell(entry));
  return nullptr;
}

Result<> check_running(const Snapshot& snapshot, const ProcessSpec& wanted) {
  if (snapshot.status == Status::Running || snapshot.status == Status::Created) return {};
  if (snapshot.status == Status::Paused) {
    if (wanted.ignore_paused) return {};
    return fail(ErrorKind::WrongState,
                "cannot exec in a paused container (use --ignore-paused to override)");
  }
  if (snapshot.status == Status::Creating)
    return fail(ErrorKind::WrongState, "cannot exec in a container that is being created");
  return fail(ErrorKind::WrongState, "cannot exec in a stopped container");
}

Result<> check_terminal(const ProcessSpec& wanted, const plan::EnterPlan& plan) {
  if (!wanted.console_socket.empty() && !plan.process.terminal) {
    return fail(ErrorKind::InvalidUse,
                "cannot use console socket if berth will not detach or allocate tty");
  }
  return {};
}

// A process that waits for `start` is closed to everybody but the host's root, its owner included.
Result<> check_open(const Snapshot& snapshot, const plan::EnterPlan& plan) {
  if (snapshot.status != Status::Created || plan.privileged) return {};
  return fail(ErrorKind::WrongState,
              "cannot exec in a container that is not started without privileges: start it first");
}

}  // namespace

Result<Process> Container::exec(const ProcessSpec& wanted) {
  TRY(engine::check_preserved(wanted.preserve_fds, 0));
  const StateDir directory = TRY(inner_->open());
  Snapshot snapshot = TRY(engine::look(directory, true));
  TRY(check_running(snapshot, wanted));
  Entry entry{.wanted = wanted, .record = std::move(snapshot.record)};
  entry.sub_cgroups = TRY(plan::read_sub_cgroups(wanted.cgroups));
  TRY(engine::plan_entry(snapshot.config, entry));
  // What is wrong with the config's own process was said when it was created.
  if (!wanted.process_json.empty() || !wanted.capabilities.empty())
    inner_->warn(entry.plan.warnings);
  TRY(check_terminal(wanted, entry.plan));
  TRY(check_open(snapshot, entry.plan));
  TRY(engine::prepare_hold(directory, entry));
  TRY(engine::prepare_tools(entry));
  entry.target = std::move(snapshot.init);
  entry.cgroup = snapshot.cgroup ? std::move(snapshot.cgroup) : TRY(engine::open_cgroup(entry.record));
  TRY(entry.cgroup->open_tasks(entry.sub_cgroups));
  TRY(engine::launch(entry));
  TRY(send_ahead(entry));
  TRY(serve(entry));
  auto inner = std::make_unique<Process::Inner>();
  inner->held = TRY(let_go(entry));
  inner->pid = entry.child.pid();
  inner->pidfd = entry.child.release();
  inner->console = std::move(entry.console);
  return Process(std::move(inner));
}

}  // namespace berth
