// SPDX-License-Identifier: Apache-2.0
#include "engine/serve_init.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/attach_network.h"
#include "engine/class_of_service.h"
#include "engine/clock.h"
#include "engine/container_inner.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "engine/favour_process.h"
#include "engine/map_ids.h"
#include "hooks/run_hooks.h"
#include "os/file.h"
#include "os/process.h"
#include "os/socket.h"

namespace berth::engine {
namespace {

using sync::Message;

std::string hook_output(const Creation& creation) {
  if (!creation.hook_output) return {};
  std::string text(4096, '\0');
  const ssize_t size = ::pread(creation.hook_output.get(), text.data(), text.size(), 0);
  text.resize(size > 0 ? static_cast<size_t>(size) : 0);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

// init died without a word: killed from outside, most often for the cgroup's memory limit.
Error explain_death(Creation& creation, Error error) {
  const Result<uint64_t> kills =
      creation.cgroup ? creation.cgroup->oom_kills() : Result<uint64_t>(0);
  if (kills && *kills > 0) {
    Error oom(ErrorKind::System, ENOMEM,
              "init was killed for want of memory: the limit is too low to start");
    oom.set_pointer("/linux/resources/memory/limit");
    return oom;
  }
  return error;
}

Result<sync::Heard> hear(Creation& creation, Message expected) {
  Result<sync::Heard> heard = creation.channel.hear(expected);
  if (!heard) return std::unexpected(explain_death(creation, std::move(heard).error()));
  if (heard->packet.message == Message::Failed) {
    return std::unexpected(
        explain(creation.plan.init, heard->packet.failure, hook_output(creation)));
  }
  if (heard->packet.message != expected)
    return fail(ErrorKind::Internal, "init said something unexpected");
  return heard;
}

Result<> adopt_init(Creation& creation, sync::Heard& heard) {
  os::ChildProcess joiner = std::move(creation.init);
  creation.init = os::ChildProcess(heard.packet.value, std::move(heard.fd));
  TRY(joiner.wait());
  TRY(enter_class(creation.record, creation.init.pid()));
  return set_oom_score(creation.plan.init.process, creation.init.pid());
}

Result<> work_for_init(Creation& creation) {
  TRY(attach_network(creation));
  Record record = creation.record;
  record.pid = creation.init.pid();
  ContainerState state = state_of(record, Status::Creating);
  state.pid = record.pid;
  const std::string text = hook_state(state);
  TRY(hooks::run_hooks(creation.plan.host.prestart, text, record.bundle));
  TRY(hooks::run_hooks(creation.plan.host.create_runtime, text, record.bundle));
  return creation.channel.host_ready();
}

Result<> take_console(Creation& creation, sync::Heard& heard) {
  const std::string& socket = creation.options.console_socket;
  if (socket.empty()) {
    creation.console = std::move(heard.fd);
    return {};
  }
  return os::send_descriptor(socket, heard.fd.get(), "/dev/ptmx") |
         context("send the terminal to the console socket") | at("/process/terminal");
}

Result<> pass_listener(Creation& creation, const sync::Heard& heard) {
  const os::UniqueFd listener(
      static_cast<int>(::syscall(SYS_pidfd_getfd, creation.init.pidfd(), heard.packet.value, 0)));
  if (!listener) return system_error(errno, "fetch the seccomp listener");
  const spec::Seccomp& profile = *creation.spec.platform.seccomp;
  Record record = creation.record;
  record.pid = creation.init.pid();
  ContainerState state = state_of(record, Status::Creating);
  state.pid = record.pid;
  const std::string text =
      spec::seccomp_state_json(to_spec(state), record.pid, profile.listener_metadata);
  TRY(os::send_descriptor(profile.listener_path, listener.get(), text) |
      context("failed to connect with seccomp agent") | at("/linux/seccomp/listenerPath"));
  return creation.channel.listener_sent();
}

Result<> answer(Creation& creation, sync::Heard& heard) {
  switch (heard.packet.message) {
    case Message::InitPid: return adopt_init(creation, heard);
    case Message::IdsWanted:
      TRY(map_ids(creation.plan.host.ids, creation.init.pid()));
      return creation.channel.ids_mapped();
    case Message::NamespacesReady: return work_for_init(creation);
    case Message::Console: return take_console(creation, heard);
    case Message::SeccompListener: return pass_listener(creation, heard);
    default: return {};
  }
}

Result<> write_pid_file(Creation& creation) {
  const std::string& path = creation.options.pid_file;
  if (path.empty()) return {};
  TRY(os::replace_file_at(AT_FDCWD, path.c_str(), std::to_string(creation.init.pid()), 0644) |
      context("write the pid file"));
  creation.pid_file_written = true;
  return {};
}

}  // namespace

Result<> serve_init(Creation& creation) {
  const plan::Plan& plan = creation.plan;
  const sync::Conversation conversation{
      .joiner = plan.host.namespaces.shape == plan::LaunchShape::Joiner,
      .ids = plan.init.new_user_namespace,
      .host_work = creation.prepared.host_work,
      .console = plan.init.process.terminal,
      .listener = creation.prepared.process.seccomp_listener};
  for (const Message message : sync::expected_messages(conversation)) {
    sync::Heard heard = TRY(hear(creation, message));
    TRY(answer(creation, heard));
  }
  return {};
}

Result<> record_state(Creation& creation) {
  if (creation.cgroup) TRY(creation.cgroup->first_is_in());
  TRY(favour_process(creation.plan.init.process, creation.init.pid(),
                     !creation.prepared.process.sets_rlimits));
  const std::optional<uint64_t> start = os::start_time(creation.init.pid());
  if (!start) return fail(ErrorKind::Internal, "init ended without a word");
  creation.record.pid = creation.init.pid();
  creation.record.start_time = *start;
  if (creation.start_now) creation.record.started = now_ns();
  TRY(creation.state.write_process(creation.record));
  TRY(write_pid_file(creation));
  if (!creation.options.pidfd_socket.empty()) {
    TRY(os::send_descriptor(creation.options.pidfd_socket, creation.init.pidfd(), "standard"));
  }
  if (!creation.start_now) return creation.channel.committed();
  TRY(creation.channel.start());
  // Close-on-exec: the end of the conversation is the program's execve.
  Result<sync::Heard> heard = creation.channel.hear();
  if (heard) {
    return std::unexpected(
        explain(creation.plan.init, heard->packet.failure, hook_output(creation)));
  }
  Result<> executed = check_executed({.pid = creation.init.pid(), .pidfd = creation.init.pidfd()}) |
                      context("init");
  if (executed) return {};
  return std::unexpected(explain_death(creation, std::move(executed).error()));
}

}  // namespace berth::engine
