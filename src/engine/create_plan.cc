// SPDX-License-Identifier: Apache-2.0
#include "engine/create_plan.h"

#include "engine/container_inner.h"

#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "engine/gather_facts.h"
#include "engine/namespace_owner.h"
#include "engine/prepare.h"
#include "hooks/run_hooks.h"
#include "os/file.h"
#include "os/process.h"
#include "plan/make_plan.h"
#include "spec/read_spec.h"

namespace berth::engine {
namespace {

constexpr size_t kMaxConfig = 16 << 20;

Result<> check_terminal(const CreateOptions& options, const plan::ProcessPlan& process) {
  if (process.terminal && options.detach && options.console_socket.empty()) {
    return fail(ErrorKind::InvalidUse,
                "cannot allocate tty if berth will detach without setting console socket");
  }
  if (!options.console_socket.empty() && !(process.terminal && options.detach)) {
    return fail(ErrorKind::InvalidUse,
                "cannot use console socket if berth will not detach or allocate tty");
  }
  return {};
}

plan::CgroupDriver driver_of(CgroupManagerKind kind) {
  switch (kind) {
    case CgroupManagerKind::Filesystem: return plan::CgroupDriver::Filesystem;
    case CgroupManagerKind::Systemd: return plan::CgroupDriver::Systemd;
    case CgroupManagerKind::Disabled: return plan::CgroupDriver::Disabled;
  }
  return plan::CgroupDriver::Filesystem;
}

bool is_rootless(Rootless choice, const plan::HostFacts& facts) {
  if (choice == Rootless::Auto) return facts.euid != 0 || facts.in_user_namespace;
  return choice == Rootless::Yes;
}

}  // namespace

Result<> check_preserved(int count, int sockets) {
  constexpr int kFirst = 3;
  for (int fd = kFirst + sockets; fd < kFirst + sockets + count; ++fd) {
    if (::fcntl(fd, F_GETFD) == 0) continue;
    return fail(ErrorKind::InvalidUse, "--preserve-fds {}: descriptor {} is not open", count, fd);
  }
  return {};
}

Result<std::string> find_bundle(const CreateOptions& options) {
  const std::string& path = options.bundle;
  char buffer[PATH_MAX];
  if (::realpath(path.empty() ? "." : path.c_str(), buffer) == nullptr)
    return system_error(errno, "find the bundle {}", path);
  return std::string(buffer);
}

Result<std::string> read_config(const CreateOptions& options, const std::string& bundle) {
  if (!options.config_json.empty()) return options.config_json;
  const std::string path =
      options.config_file.empty() ? bundle + "/config.json" : options.config_file;
  Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), kMaxConfig);
  if (!text && text.error().kind() == ErrorKind::NotFound) {
    return fail(ErrorKind::InvalidUse,
                "JSON specification file {} not found: is {} a bundle? (`berth spec` writes one)",
                path, bundle);
  }
  return text;
}

Result<> plan_creation(std::string_view id, Creation& creation) {
  const CreateOptions& options = creation.options;
  TRY(check_id(id));
  const std::string bundle = TRY(find_bundle(options));
  creation.config = TRY(read_config(options, bundle));
  creation.spec = TRY(spec::read_spec(creation.config, spec::Detail::Effects));
  TRY(spec::validate(creation.spec));
  if (!creation.spec.process)
    return Result<>(fail(ErrorKind::InvalidConfig, "process is missing")) | at("/process");
  set_window(options.window, *creation.spec.process);
  if (!options.notify_socket.empty())
    show_notify_socket(creation.factory.state_root + "/" + std::string(id), creation.spec);
  plan::HostFacts facts = TRY(gather_facts({.labels = names_label(creation.spec)}));
  TRY(check_preserved(options.preserve_fds, facts.open_listen_fds));
  facts.joined_mounts_are_foreign = joins_foreign_mounts(creation.spec);
  if (creation.plan_as_root) pretend_root(facts);
  const plan::Request request{.id = std::string(id),
                              .bundle = bundle,
                              .cgroup_driver = driver_of(creation.factory.cgroup_manager),
                              .rootless = is_rootless(creation.factory.rootless, facts),
                              .no_pivot = options.no_pivot,
                              .no_new_keyring = options.no_new_keyring,
                              .preserve_fds = options.preserve_fds};
  if (request.cgroup_driver == plan::CgroupDriver::Systemd && !facts.hierarchies.empty())
    creation.systemd = TRY(open_systemd(facts));
  creation.plan = TRY(plan::make_plan(creation.spec, facts, request));
  creation.plan.init.namespaces = &creation.plan.host.namespaces;
  creation.prepared.process.last_capability = facts.last_capability;
  creation.prepared.process.ignored_signals = facts.ignored_signals;
  TRY(give_streams(options.streams, creation.prepared.process));
  return check_terminal(options, creation.plan.init.process);
}

void set_window(const std::function<WindowSize()>& window, spec::Process& process) {
  if (!process.terminal || process.console_size || !window) return;
  const WindowSize size = window();
  if (size.rows != 0) process.console_size = {.height = size.rows, .width = size.columns};
}

Result<plan::Plan> plan_of_record(const Record& record, std::string_view config) {
  const spec::Spec spec = TRY(spec::read_spec(config));
  plan::HostFacts facts = TRY(gather_facts({.labels = names_label(spec)}));
  facts.joined_mounts_are_foreign = joins_foreign_mounts(spec);
  return plan::make_plan(
      spec, facts,
      {.id = record.id, .bundle = record.bundle, .cgroup_driver = record.cgroup_driver});
}

Result<> run_poststart(const Record& record, std::string_view config, int init) {
  if (!record.has_poststart) return {};
  const spec::Spec spec = TRY(spec::read_spec(config));
  const auto hooks = plan::plan_host_hooks(spec.hooks.poststart, "poststart");
  Result<> result =
      hooks::run_hooks(hooks, hook_state(state_of(record, Status::Running)), record.bundle);
  if (!result) (void)os::send_signal(init, SIGKILL);
  return result;
}

void run_poststop(const Record& record, std::string_view config,
                  const std::function<void(const std::string&)>& on_warning) {
  if (!record.has_poststop) return;
  const Result<spec::Spec> spec = spec::read_spec(config);
  if (!spec) return;
  const std::string state = hook_state(state_of(record, Status::Stopped));
  for (const plan::HookItem& hook : plan::plan_host_hooks(spec->hooks.poststop, "poststop")) {
    const Result<> result = hooks::run_hooks(std::span(&hook, 1), state, record.bundle);
    if (!result && on_warning) on_warning(result.error().message());
  }
}

}  // namespace berth::engine
