// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/foreground.h"
#include "cli/kept.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal.h"
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

// DIR, or DIR:PLACE.
Result<> set_tools(const std::string& text, ProcessSpec& spec) {
  const size_t colon = text.rfind(":/");
  spec.tools = text.substr(0, colon);
  if (colon == std::string::npos) return {};
  spec.tools_place = text.substr(colon + 1);
  if (!spec.tools.empty() && spec.tools_place.size() > 1) return {};
  return fail(ErrorKind::InvalidUse, "option --tools: {} is not DIR or DIR:PLACE", text);
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
                      .hold = arguments.on("hold") ? Hold::Container : Hold::None,
                      .wait_fifo = arguments.text("exec-wait-fifo"),
                      .detach = arguments.on("detach")};
  TRY(set_tools(arguments.text("tools"), spec));
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

Result<int> with_keeper(const Invocation& invocation, const ProcessSpec& spec) {
  const std::string id = invocation.arguments.word(0);
  const auto start = [&](const std::function<void(const std::string&)>&) -> Result<Started> {
    auto container = TRY(find_container(invocation));
    auto process = TRY(container.exec(spec));
    return Started{.container = std::move(container), .process = std::move(process)};
  };
  return stay_with_keeper(
      invocation,
      {.start = start, .directory = TRY(state_directory(invocation, id)), .is_first = false});
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
  if (arguments.given("detach-keys")) {
    spec.terminal_newlines = true;
    return with_keeper(invocation, spec);
  }
  if (!arguments.on("no-subreaper")) TRY(become_subreaper());
  auto signals = TRY(Signals::take());
  auto process = TRY(container.exec(spec));
  return TRY(stay_with(process, signals)).shell_code();
}

}  // namespace

Result<int> run_exec(const Invocation& invocation) {
  return execute(invocation) | context("exec failed");
}

}  // namespace berth::cli
