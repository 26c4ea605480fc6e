// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/foreground.h"
#include "cli/output.h"
#include "cli/relay.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<std::vector<uint32_t>> group_ids(const std::vector<std::string>& texts) {
  std::vector<uint32_t> ids;
  for (const auto& text : texts) {
    auto id = TRY(parse_unsigned(text) | context("option --additional-gids"));
    if (id >= UINT32_MAX)
      return fail(ErrorKind::InvalidUse, "option --additional-gids: {} is no group", id);
    ids.push_back(static_cast<uint32_t>(id));
  }
  return ids;
}

std::vector<std::string> program(const Arguments& arguments) {
  auto words = arguments.words_from(1);
  if (!words.empty() && words[0] == "--") words.erase(words.begin());
  return words;
}

Result<ProcessSpec> process_spec(const Arguments& arguments) {
  ProcessSpec spec = {.env = arguments.texts("env"),
                      .cwd = arguments.text("cwd"),
                      .user = arguments.text("user"),
                      .additional_gids = TRY(group_ids(arguments.texts("additional-gids"))),
                      .capabilities = arguments.texts("cap"),
                      .apparmor_profile = arguments.text("apparmor"),
                      .selinux_label = arguments.text("process-label"),
                      .no_new_privileges = arguments.on("no-new-privs"),
                      .terminal = arguments.on("tty"),
                      .preserve_fds = TRY(preserved_descriptors(arguments)),
                      .cgroups = arguments.texts("cgroup"),
                      .ignore_paused = arguments.on("ignore-paused"),
                      .console_socket = arguments.text("console-socket"),
                      .pid_file = arguments.text("pid-file"),
                      .pidfd_socket = arguments.text("pidfd-socket"),
                      .detach = arguments.on("detach")};
  if (arguments.given("process")) {
    spec.process_json = TRY(read_text(arguments.text("process")) | context("process file"));
    if (spec.process_json.empty())
      return fail(ErrorKind::InvalidUse, "process file {} is empty", arguments.text("process"));
    return spec;
  }
  spec.args = program(arguments);
  if (spec.args.empty()) {
    return fail(ErrorKind::InvalidUse,
                "process args cannot be empty: name a command, or give --process");
  }
  return spec;
}

Result<int> execute(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto spec = TRY(process_spec(arguments));
  if (spec.detach && spec.terminal && spec.console_socket.empty()) {
    return fail(ErrorKind::InvalidUse,
                "cannot allocate tty if berth will detach without setting console socket");
  }
  auto container = TRY(find_container(invocation));
  if (spec.detach) {
    TRY(container.exec(spec));
    return 0;
  }
  spec.window = window_size;
  if (!arguments.on("no-subreaper")) TRY(become_subreaper());
  auto signals = TRY(Signals::take());
  auto process = TRY(container.exec(spec));
  return stay_with(process, signals);
}

}  // namespace

Result<int> run_exec(const Invocation& invocation) {
  return execute(invocation) | context("exec failed");
}

}  // namespace berth::cli
