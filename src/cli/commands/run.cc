// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/foreground.h"
#include "cli/kept.h"
#include "cli/log.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "core/context.h"

namespace berth::cli {
namespace {

void keep_exit(Container& container, ExitStatus status) {
  auto kept = container.record_exit(status);
  if (!kept) log(LogLevel::Warning, kept.error().message());
}

// A failure of the deletion is the command's only when there is no exit code to be told.
Result<int> delete_ended(Container& container, Result<ExitStatus> ended) {
  auto deleted = container.destroy(true);
  const bool somebody_did = !deleted && deleted.error().kind() == ErrorKind::NotFound;
  if (!deleted && !somebody_did) {
    deleted.error().add_context("delete the container");
    if (ended) {
      keep_exit(container, *ended);
      return std::unexpected(std::move(deleted).error());
    }
    log(LogLevel::Warning, deleted.error().message());
  }
  return TRY(std::move(ended)).shell_code();
}

Result<int> in_foreground(Factory& factory, const Invocation& invocation,
                          const CreateOptions& options) {
  const auto& arguments = invocation.arguments;
  if (!arguments.on("no-subreaper")) TRY(become_subreaper());
  auto signals = TRY(Signals::take());
  auto [container, process] = TRY(factory.run(arguments.word(0), options));
  auto ended = stay_with(process, signals);
  if (!arguments.on("keep")) return delete_ended(container, std::move(ended));
  if (ended) keep_exit(container, *ended);
  return TRY(std::move(ended)).shell_code();
}

// Notifications of a service manager are not for a terminal.
Result<int> with_keeper(const Invocation& invocation, CreateOptions options) {
  const std::string id = invocation.arguments.word(0);
  options.notify_socket.clear();
  options.detach = false;
  options.terminal_newlines = true;
  options.window = window_size;
  FactoryOptions factory = TRY(factory_options(invocation));
  const auto start = [&](std::function<void(const std::string&)> on_warning) -> Result<Started> {
    factory.on_warning = std::move(on_warning);
    return TRY(Factory::open(factory)).run(id, options);
  };
  return stay_with_keeper(invocation, {.start = start,
                                       .directory = TRY(state_directory(invocation, id)),
                                       .remove_at_end = !invocation.arguments.on("keep")});
}

}  // namespace

Result<int> run_run(const Invocation& invocation) {
  auto factory = TRY(open_factory(invocation));
  auto options = TRY(create_options(invocation));
  if (invocation.arguments.given("detach-keys")) return with_keeper(invocation, options);
  options.detach = invocation.arguments.on("detach");
  if (!options.detach) {
    options.window = window_size;
    return in_foreground(factory, invocation, options);
  }
  TRY(factory.run(invocation.arguments.word(0), options));
  return 0;
}

}  // namespace berth::cli
