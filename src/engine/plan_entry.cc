// SPDX-License-Identifier: Apache-2.0
// Which process exec makes: that of the saved config, changed by what the caller wants, or the
// caller's own.
#include <fcntl.h>
#include <sched.h>

#include <charconv>
#include <limits>

#include "berth/try.h"
#include "core/context.h"
#include "engine/create_plan.h"
#include "engine/entry.h"
#include "engine/gather_facts.h"
#include "engine/prepare.h"
#include "os/file.h"
#include "plan/make_plan.h"
#include "spec/read_spec.h"

namespace berth::engine {
namespace {

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

}  // namespace

Result<> plan_entry(std::string_view config, Entry& entry) {
  entry.spec = TRY(spec::read_spec(config, spec::Detail::Effects));
  spec::Process process = TRY(process_for(entry.spec, entry.wanted));
  set_window(entry.wanted.window, process);
  plan::HostFacts facts = TRY(gather_facts({.cgroups = false, .labels = names_label(process)}));
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
  entry.plan.changes_root = entry.record.changes_root;
  entry.prepared.process.last_capability = facts.last_capability;
  entry.prepared.process.ignored_signals = facts.ignored_signals;
  entry.seccomp = TRY(security::compile_seccomp(entry.spec));
  entry.prepared.process.sets_rlimits = (entry.plan.namespaces & CLONE_NEWUSER) == 0;
  entry.prepared.process.plain_newlines = !entry.wanted.detach && !entry.wanted.terminal_newlines;
  if (entry.plan.process.confinement.core_cookie)
    entry.prepared.process.core_peer = TRY(inner_pid(entry.record.pid));
  prepare_process(entry.plan.process, entry.record.id, entry.seccomp, entry.home,
                  entry.prepared.process);
  return give_streams(entry.wanted.streams, entry.prepared.process);
}

}  // namespace berth::engine
