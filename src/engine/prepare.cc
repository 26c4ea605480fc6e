// SPDX-License-Identifier: Apache-2.0
#include "engine/prepare.h"

#include "engine/container_inner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "engine/prepare_mounts.h"
#include "os/file.h"
#include "plan/namespace_flags.h"

namespace berth::engine {
namespace {

constexpr std::string_view kListenPid = "LISTEN_PID=";

char* writable(const std::string& text) {
  return const_cast<char*>(text.c_str());
}  // execve's signature

std::vector<char*> pointers(const std::vector<std::string>& words, size_t more = 0) {
  std::vector<char*> list;
  list.reserve(words.size() + more + 1);
  for (const std::string& word : words) list.push_back(writable(word));
  return list;
}

sock_fprog program_of(const std::vector<sock_filter>& code) {
  return {.len = static_cast<unsigned short>(code.size()),
          .filter = const_cast<sock_filter*>(code.data())};
}

init::PreparedHook prepare_hook(const plan::HookItem& hook) {
  init::PreparedHook prepared;
  prepared.argv = hook.args.empty() ? pointers({}, 1) : pointers(hook.args);
  if (hook.args.empty()) prepared.argv.push_back(writable(hook.path));
  prepared.argv.push_back(nullptr);
  prepared.envp = pointers(hook.env);
  prepared.envp.push_back(nullptr);
  return prepared;
}

// The pid is known to init only.
init::PreparedState split_state(const ContainerState& state) {
  const std::string text = hook_state(state);
  constexpr std::string_view kPid = "\"pid\":";
  const size_t start = text.find(kPid) + kPid.size();
  const size_t end = text.find_first_not_of("0123456789", start);
  return {.before_pid = text.substr(0, start), .after_pid = text.substr(end)};
}

bool has_limit(const plan::InitPlan& plan) {
  const auto limited = [](const plan::HookItem& hook) { return hook.timeout_seconds.has_value(); };
  return std::ranges::any_of(plan.create_container, limited) ||
         std::ranges::any_of(plan.start_container, limited);
}

Result<> prepare_hooks(Creation& creation) {
  const plan::InitPlan& plan = creation.plan.init;
  if (plan.create_container.empty() && plan.start_container.empty()) return {};
  for (const plan::HookItem& hook : plan.create_container)
    creation.prepared.create_hooks.push_back(prepare_hook(hook));
  for (const plan::HookItem& hook : plan.start_container)
    creation.prepared.start_hooks.push_back(prepare_hook(hook));
  creation.prepared.creating = split_state(state_of(creation.record, Status::Creating));
  creation.prepared.created = split_state(state_of(creation.record, Status::Created));
  creation.hook_output.reset(::memfd_create("hooks", MFD_CLOEXEC));
  if (!creation.hook_output) return system_error(errno, "make a memory file");
  creation.prepared.hook_output = creation.hook_output.get();
  if (creation.plan.host.namespaces.is_new(spec::NamespaceType::Pid) || !has_limit(plan)) return {};
  creation.descriptors.emplace_back(::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  creation.prepared.processes = creation.descriptors.back().get();
  return {};
}

std::string time_offsets(const plan::NamespacePlan& plan) {
  std::string text;
  for (const spec::TimeOffset& offset : plan.time_offsets) {
    text += formatted("{} {} {}\n", offset.clock, offset.seconds, offset.nanoseconds);
  }
  return text;
}

}  // namespace

Result<os::UniqueFd> open_namespace(const plan::JoinedNamespace& joined) {
  os::UniqueFd fd(::open(joined.path.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!fd)
    return Result<os::UniqueFd>(system_error(errno, "open namespace {}", joined.path)) |
           at(joined.pointer);
  if (::ioctl(fd.get(), NS_GET_NSTYPE) != static_cast<int>(plan::clone_flag(joined.type))) {
    return Result<os::UniqueFd>(
               fail(ErrorKind::InvalidConfig, "{} is not a namespace of that type", joined.path)) |
           at(joined.pointer);
  }
  return fd;
}

void prepare_process(const plan::ProcessPlan& plan, const std::string& id,
                     const security::SeccompProgram& seccomp, std::string& home,
                     init::PreparedProcess& prepared) {
  prepared.argv = pointers(plan.args);
  prepared.argv.push_back(nullptr);
  prepared.envp = pointers(plan.env, 2);
  for (const std::string& variable : plan.env) {
    if (variable.starts_with("PATH=")) prepared.path = variable.c_str() + 5;
  }
  if (plan.home_from_passwd) {
    home.assign(PATH_MAX + 8, '\0');
    prepared.home_slot = home.data();
    prepared.envp.push_back(home.data());
  }
  if (plan.listen_pid) {
    std::ranges::copy(kListenPid, prepared.listen_pid);
    prepared.envp.push_back(prepared.listen_pid);
  }
  prepared.envp.push_back(nullptr);
  if (plan.new_keyring) prepared.keyring = "_ses." + id;
  if (!plan.apparmor_profile.empty()) prepared.label = "exec " + plan.apparmor_profile;
  if (!plan.selinux_label.empty()) prepared.label = plan.selinux_label;
  prepared.seccomp = program_of(seccomp.code);
  prepared.added_filter = program_of(seccomp.added);
  prepared.seccomp_flags = seccomp.flags;
  prepared.seccomp_listener = seccomp.wants_listener;
  prepared.stays_readable = seccomp.wants_listener && ::geteuid() != 0;
}

Result<> give_streams(const StandardStreams& wanted, init::PreparedProcess& prepared) {
  if (wanted == kOwnStreams) return {};
  // With one of them closed, a descriptor of ours may have its number.
  for (const int fd : {0, 1, 2, wanted[0], wanted[1], wanted[2]}) {
    if (fd >= 0 && ::fcntl(fd, F_GETFD) < 0)
      return fail(ErrorKind::InvalidUse, "standard streams: descriptor {} is not open", fd);
  }
  std::ranges::copy(wanted, prepared.streams);
  return {};
}

void keep_descriptors(init::PreparedProcess& prepared, int preserved, std::vector<int> more) {
  more.push_back(prepared.channel);
  for (int fd = 3; fd < 3 + preserved; ++fd) more.push_back(fd);
  std::erase_if(more, [](int fd) { return fd < 3; });
  std::ranges::sort(more);
  prepared.kept = std::move(more);
}

Result<> prepare_init(Creation& creation) {
  plan::Plan& plan = creation.plan;
  plan.init.namespaces = &plan.host.namespaces;
  prepare_process(plan.init.process, plan.host.id, creation.seccomp, creation.home,
                  creation.prepared.process);
  for (const plan::JoinedNamespace& joined : plan.host.namespaces.join) {
    creation.descriptors.push_back(TRY(open_namespace(joined)));
    creation.prepared.joined.push_back(creation.descriptors.back().get());
  }
  creation.prepared.process.sets_rlimits = !plan.host.namespaces.has(spec::NamespaceType::User);
  creation.prepared.process.plain_newlines =
      !creation.options.detach && !creation.options.terminal_newlines;
  TRY(prepare_mounts(creation));
  TRY(prepare_hooks(creation));
  // createContainer hooks are init's own work, but must not run before the host's part is done.
  creation.prepared.host_work = !plan.host.prestart.empty() || !plan.host.create_runtime.empty() ||
                                !plan.init.create_container.empty() ||
                                !plan.host.net_devices.empty() || !plan.host.interfaces.empty();
  creation.prepared.time_offsets = time_offsets(plan.host.namespaces);
  if (creation.options.host_overlay)
    creation.prepared.overlay_place = creation.state.path() + "/overlay";
  return {};
}

}  // namespace berth::engine
