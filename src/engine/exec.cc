// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <charconv>

#include <limits>

#include "berth/try.h"
#include "core/context.h"
#include "engine/class_of_service.h"
#include "engine/container_inner.h"
#include "engine/create_plan.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "engine/favour_process.h"
#include "engine/gather_facts.h"
#include "engine/prepare.h"
#include "engine/visit.h"
#include "init/run_init.h"
#include "os/file.h"
#include "os/socket.h"
#include "plan/make_plan.h"
#include "security/seccomp_compiler.h"
#include "spec/read_spec.h"
#include "sync/channel.h"

namespace berth {
namespace {

using engine::Snapshot;
using engine::StateDir;
using sync::Message;

Result<uint32_t> parse_id(std::string_view text) {
  uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool leading_zero = text.size() > 1 && text[0] == '0';
  if (error != std::errc() || end != text.data() + text.size() || leading_zero ||
      value == std::numeric_limits<uint32_t>::max()) {
    return fail(ErrorKind::InvalidUse,
                "\"{}\" is no user or group id: decimal numbers below 4294967295 are", text);
  }
  return value;
}

Result<> set_user(const ProcessSpec& wanted, spec::Process& process) {
  if (wanted.user.empty()) return {};
  const size_t colon = wanted.user.find(':');
  process.user.uid = TRY(parse_id(std::string_view(wanted.user).substr(0, colon)));
  if (colon != std::string::npos)
    process.user.gid = TRY(parse_id(std::string_view(wanted.user).substr(colon + 1)));
  return {};
}

// runc's rule: to bounding, effective and permitted; to ambient only where inheritable is in use.
void add_capabilities(const ProcessSpec& wanted, spec::Process& process) {
  if (wanted.capabilities.empty()) return;
  spec::Capabilities& sets =
      process.capabilities ? *process.capabilities : process.capabilities.emplace();
  for (const std::string& name : wanted.capabilities) {
    sets.bounding.push_back(name);
    sets.effective.push_back(name);
    sets.permitted.push_back(name);
    if (!sets.inheritable.empty()) {
      sets.inheritable.push_back(name);
      sets.ambient.push_back(name);
    }
  }
}

// The process of the saved config, changed by what the caller wants; or the caller's own as it is.
Result<spec::Process> process_for(const spec::Spec& spec, const ProcessSpec& wanted) {
  if (!wanted.process_json.empty()) {
    spec::Process process = TRY(spec::read_process(wanted.process_json));
    TRY(spec::validate_process(process, ""));
    return process;
  }
  spec::Process process = spec.process ? *spec.process : spec::Process{};
  process.args = wanted.args;
  process.terminal = wanted.terminal;
  process.env.insert(process.env.end(), wanted.env.begin(), wanted.env.end());
  if (!wanted.cwd.empty()) process.cwd = wanted.cwd;
  if (!wanted.apparmor_profile.empty()) process.apparmor_profile = wanted.apparmor_profile;
  if (!wanted.selinux_label.empty()) process.selinux_label = wanted.selinux_label;
  process.no_new_privileges = process.no_new_privileges || wanted.no_new_privileges;
  process.user.additional_gids.insert(process.user.additional_gids.end(),
                                      wanted.additional_gids.begin(), wanted.additional_gids.end());
  TRY(set_user(wanted, process));
  add_capabilities(wanted, process);
  TRY(spec::validate_process(process, ""));
  return process;
}

// A process half entered: killed and reaped unless it is handed out.
struct Entry {
  const ProcessSpec& wanted;
  engine::Record record = {};
  spec::Spec spec = {};
  plan::EnterPlan plan = {};
  std::unique_ptr<cgroup::CgroupManager> cgroup = {};
  security::SeccompProgram seccomp = {};
  init::PreparedEnter prepared = {};
  std::string home = {};
  os::UniqueFd target = {};
  os::ChildProcess child = {};
  sync::HostEnd channel = {};
  os::UniqueFd console = {};
};

// The innermost number of "NSpid:\t1234\t1": what the container calls its init.
Result<int> inner_pid(pid_t process) {
  constexpr std::string_view kName = "\nNSpid:";
  const std::string path = formatted("/proc/{}/status", process);
  const std::string text = TRY(os::read_file_at(AT_FDCWD, path.c_str(), 8192));
  const size_t start = text.find(kName);
  const std::string line = text.substr(start, text.find('\n', start + 1) - start);
  const char* last = line.data() + line.find_last_of("\t:") + 1;
  int pid = 0;
  std::from_chars(last, line.data() + line.size(), pid);
  return pid;
}

Result<> plan_entry(std::string_view config, Entry& entry) {
  entry.spec = TRY(spec::read_spec(config));
  spec::Process process = TRY(process_for(entry.spec, entry.wanted));
  engine::set_window(entry.wanted.window, process);
  plan::HostFacts facts =
      TRY(engine::gather_facts({.cgroups = false, .labels = engine::names_label(process)}));
  if ((entry.record.namespaces & CLONE_NEWUSER) != 0) {
    const std::string path = formatted("/proc/{}/setgroups", entry.record.pid);
    const Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), 64);
    facts.setgroups_denied = facts.setgroups_denied || (text && text->starts_with("deny"));
  }
  const plan::Request request{.id = entry.record.id,
                              .bundle = entry.record.bundle,
                              .cgroup_driver = entry.record.cgroup_driver,
                              .preserve_fds = entry.wanted.preserve_fds};
  entry.plan = TRY(plan::make_enter_plan(entry.spec, process, facts, request));
  entry.plan.namespaces = entry.record.namespaces;
  entry.prepared.process.last_capability = facts.last_capability;
  entry.prepared.process.ignored_signals = facts.ignored_signals;
  entry.seccomp = TRY(security::compile_seccomp(entry.spec));
  entry.prepared.process.sets_rlimits = (entry.plan.namespaces & CLONE_NEWUSER) == 0;
  entry.prepared.process.plain_newlines = !entry.wanted.detach;
  if (entry.plan.process.confinement.core_cookie)
    entry.prepared.process.core_peer = TRY(inner_pid(entry.record.pid));
  engine::prepare_process(entry.plan.process, entry.record.id, entry.seccomp, entry.home,
                          entry.prepared.process);
  return {};
}

Result<> favour_early(const Entry& entry) {
  TRY(engine::enter_class(entry.record, entry.child.pid()));
  return engine::set_oom_score(entry.plan.process, entry.child.pid());
}

// The process itself comes with the joiner's first words.
Result<> launch_through_joiner(Entry& entry) {
  int pidfd = -1;
  const pid_t pid = os::clone_child({.cgroup = entry.cgroup->clone_target()}, &pidfd);
  if (pid == 0) init::run_enter_joiner(entry.plan, entry.prepared);
  if (pid < 0) return system_error(-pid, "clone the joiner");
  entry.child = os::ChildProcess(pid, os::UniqueFd(pidfd));
  return {};
}

Result<> adopt(Entry& entry, sync::Heard& heard) {
  os::ChildProcess joiner = std::move(entry.child);
  entry.child = os::ChildProcess(heard.packet.value, std::move(heard.fd));
  TRY(joiner.wait());
  return favour_early(entry);
}

Result<> launch(Entry& entry) {
  auto [host, inside] = TRY(os::packet_pair());
  entry.channel = sync::HostEnd(std::move(host));
  entry.prepared.process.channel = inside.get();
  entry.prepared.target = entry.target.get();
  const auto files = entry.cgroup->task_files();
  entry.prepared.process.task_files.assign(files.begin(), files.end());
  engine::keep_descriptors(entry.prepared.process, entry.plan.process.preserve_fds,
                           {entry.prepared.target});
  if (entry.plan.shape == plan::LaunchShape::Joiner) return launch_through_joiner(entry);
  engine::NamespaceVisit visit;
  if ((entry.plan.namespaces & CLONE_NEWPID) != 0)
    TRY(visit.enter(entry.target.get(), CLONE_NEWPID, "/proc/thread-self/ns/pid"));
  int pidfd = -1;
  const pid_t pid = os::clone_child({.cgroup = entry.cgroup->clone_target()}, &pidfd);
  if (pid == 0) init::run_enter(entry.plan, entry.prepared);
  if (pid < 0) return system_error(-pid, "clone into the container");
  entry.child = os::ChildProcess(pid, os::UniqueFd(pidfd));
  TRY(visit.leave());
  return favour_early(entry);
}

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
  if (heard.packet.message == Message::InitPid) return adopt(entry, heard);
  if (heard.packet.message == Message::SeccompListener)
    return pass_listener(entry, heard.packet.value);
  if (heard.packet.message != Message::Console) return {};
  if (entry.wanted.console_socket.empty()) {
    entry.console = std::move(heard.fd);
    return {};
  }
  return os::send_descriptor(entry.wanted.console_socket, heard.fd.get(), "/dev/ptmx");
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

// From here on the program runs, or the error says why not; no pid file is left in that case.
Result<> let_go(Entry& entry) {
  TRY(engine::favour_process(entry.plan.process, entry.child.pid(),
                             !entry.prepared.process.sets_rlimits));
  const std::string& pid_file = entry.wanted.pid_file;
  TRY(entry.channel.start());
  Result<sync::Heard> heard = entry.channel.hear();
  if (heard) return std::unexpected(engine::explain(entry.plan, heard->packet.failure));
  TRY(engine::check_executed({.pid = entry.child.pid(), .pidfd = entry.child.pidfd()}));
  if (!entry.wanted.pidfd_socket.empty())
    TRY(os::send_descriptor(entry.wanted.pidfd_socket, entry.child.pidfd(), "setns"));
  if (pid_file.empty()) return {};
  return os::replace_file_at(AT_FDCWD, pid_file.c_str(), std::to_string(entry.child.pid()), 0644) |
         context("write the pid file");
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
  if (snapshot.status != Status::Created || plan.shape == plan::LaunchShape::Direct) return {};
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
  TRY(plan_entry(snapshot.config, entry));
  // What is wrong with the config's own process was said when it was created.
  if (!wanted.process_json.empty() || !wanted.capabilities.empty())
    inner_->warn(entry.plan.warnings);
  TRY(check_terminal(wanted, entry.plan));
  TRY(check_open(snapshot, entry.plan));
  if (!wanted.cgroups.empty())
    return fail(ErrorKind::Unsupported, "exec --cgroup is not supported yet");
  entry.target = std::move(snapshot.init);
  entry.cgroup = snapshot.cgroup ? std::move(snapshot.cgroup) : TRY(open_cgroup(entry.record));
  TRY(entry.cgroup->open_tasks());
  TRY(launch(entry));
  TRY(serve(entry));
  TRY(let_go(entry));
  auto inner = std::make_unique<Process::Inner>();
  inner->pid = entry.child.pid();
  inner->pidfd = entry.child.release();
  inner->console = std::move(entry.console);
  return Process(std::move(inner));
}

}  // namespace berth
