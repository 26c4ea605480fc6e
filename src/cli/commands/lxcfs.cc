// SPDX-License-Identifier: Apache-2.0
#include "berth/lxcfs.h"

#include <algorithm>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/running.h"
#include "cli/session.h"
#include "cli/table.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<RunningContainers> chosen(const Invocation& invocation, LxcfsAction action) {
  const Arguments& arguments = invocation.arguments;
  const std::vector<std::string> words = arguments.words_from(1);
  const std::vector<std::string> pids = arguments.texts("pid");
  const bool all = arguments.on("all");
  if (all ? !words.empty() || !pids.empty() : words.empty() && pids.empty())
    return fail(ErrorKind::InvalidUse, "name containers, or --pid, or all of them by --all");
  // What others have mounted is healed for everybody, but added and removed only on request.
  const bool harmless = action == LxcfsAction::Remount || action == LxcfsAction::Look;
  const bool scans = arguments.on("engine-scan") || (all && harmless);
  RunningContainers containers =
      TRY(scans ? all_containers(invocation) : own_containers(invocation));
  if (all) return containers;
  RunningContainers wanted;
  for (const std::string& word : words) wanted.push_back(TRY(choose(containers, word, scans)));
  for (const std::string& text : pids) {
    const pid_t pid = TRY(parse_pid(text));
    const auto known = std::ranges::find(containers, pid, &RunningContainer::pid);
    wanted.push_back(known == containers.end() ? RunningContainer{.pid = pid} : *known);
  }
  return wanted;
}

Result<LxcfsOptions> lxcfs_options(const Arguments& arguments) {
  LxcfsOptions options{.directory = arguments.text("lxcfs")};
  if (arguments.given("timeout")) {
    const int64_t limit =
        TRY(parse_duration(arguments.text("timeout")) | context("option --timeout"));
    options.timeout = std::chrono::ceil<std::chrono::milliseconds>(std::chrono::nanoseconds(limit));
  }
  return options;
}

std::string to_table(const std::vector<LxcfsReport>& reports) {
  std::vector<std::vector<std::string>> rows = {{"CONTAINER", "PID", "FILE", "RESULT", "REASON"}};
  for (const LxcfsReport& report : reports) {
    const std::string id = report.id.empty() ? "-" : report.id.substr(0, 32);
    const std::string pid = formatted("{}", report.pid);
    if (!report.error.empty()) rows.push_back({id, pid, "-", "failed", report.error});
    for (const LxcfsFile& file : report.files)
      rows.push_back({id, pid, file.path, std::string(to_string(file.result)), file.reason});
  }
  return table(rows);
}

bool all_right(const std::vector<LxcfsReport>& reports) {
  return std::ranges::all_of(reports, &LxcfsReport::is_right);
}

// Of all containers: those without files of lxcfs, and those that came to their end meanwhile.
void leave_out_others(std::vector<LxcfsReport>& reports) {
  std::erase_if(reports, [](const LxcfsReport& report) {
    return report.has_ended || (report.error.empty() && report.files.empty());
  });
}

Result<std::vector<LxcfsReport>> act(const Invocation& invocation, LxcfsAction action) {
  const Arguments& arguments = invocation.arguments;
  std::vector<LxcfsReport> reports =
      TRY(change_lxcfs(action, TRY(chosen(invocation, action)), TRY(lxcfs_options(arguments))));
  if (arguments.on("all")) leave_out_others(reports);
  return reports;
}

Result<int> act_and_tell(const Invocation& invocation, LxcfsAction action) {
  const std::vector<LxcfsReport> reports = TRY(act(invocation, action));
  const bool as_json = invocation.arguments.text("format") == "json";
  TRY(print(as_json ? to_json(reports) + "\n" : to_table(reports)));
  return action == LxcfsAction::Look || all_right(reports) ? 0 : 1;
}

Result<int> mount(const Invocation& invocation) {
  return act_and_tell(invocation, LxcfsAction::Mount);
}

Result<int> unmount(const Invocation& invocation) {
  return act_and_tell(invocation, LxcfsAction::Unmount);
}

Result<int> status(const Invocation& invocation) {
  return act_and_tell(invocation, LxcfsAction::Look);
}

// Quiet when all is right.
Result<int> check(const Invocation& invocation) {
  std::vector<LxcfsReport> reports = TRY(act(invocation, LxcfsAction::Look));
  std::erase_if(reports, &LxcfsReport::is_right);
  if (reports.empty()) return 0;
  TRY(print(to_table(reports)));
  return 1;
}

// Until it is killed. One that fails is told, and the next restart is waited for.
Result<int> watch(const Invocation& invocation) {
  const LxcfsOptions options = TRY(lxcfs_options(invocation.arguments));
  std::string device;
  for (;;) {
    device = TRY(await_lxcfs(device, options));
    if (Result<int> done = act_and_tell(invocation, LxcfsAction::Remount); !done)
      log(LogLevel::Error, done.error().message());
  }
}

Result<int> remount(const Invocation& invocation) {
  return invocation.arguments.on("watch") ? watch(invocation)
                                          : act_and_tell(invocation, LxcfsAction::Remount);
}

Result<> mount_in_new(const Invocation& invocation) {
  const RunningContainer container = TRY(container_of_hook(TRY(read_text("-"))));
  const std::vector<LxcfsReport> reports =
      TRY(change_lxcfs(LxcfsAction::Mount, {container}, TRY(lxcfs_options(invocation.arguments))));
  for (const LxcfsReport& report : reports) {
    if (!report.error.empty()) return fail(ErrorKind::System, "{}", report.error);
    for (const LxcfsFile& file : report.files) {
      if (file.result == LxcfsResult::Failed)
        return fail(ErrorKind::System, "{}: {}", file.path, file.reason);
    }
  }
  return {};
}

// In its own words on standard error: an engine shows what a hook has said.
Result<int> hook(const Invocation& invocation) {
  Result<> done = mount_in_new(invocation) | context("hook of lxcfs");
  if (done) return 0;
  if (!invocation.arguments.on("warn")) return std::unexpected(std::move(done).error());
  log(LogLevel::Warning, done.error().message());
  return 0;
}

struct Action {
  std::string_view name;
  Result<int> (*run)(const Invocation& invocation);
};

constexpr Action kActions[] = {{"mount", mount},   {"umount", unmount}, {"remount", remount},
                               {"status", status}, {"check", check},    {"hook", hook}};

}  // namespace

Result<int> run_lxcfs(const Invocation& invocation) {
  const std::string word = invocation.arguments.word(0);
  const auto* action = std::ranges::find(kActions, word, &Action::name);
  if (action != std::end(kActions)) return action->run(invocation);
  return fail(ErrorKind::InvalidUse,
              "lxcfs: there is no \"{}\", but mount, umount, remount, status, check and hook",
              word);
}

}  // namespace berth::cli
