// SPDX-License-Identifier: Apache-2.0
#include <poll.h>

#include <cerrno>

#include "berth/driver.h"
#include "berth/try.h"
#include "cli/attached.h"
#include "cli/box_options.h"
#include "cli/commands/commands.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/session.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// Its streams are ours; signals are passed on.
Result<> stay_beside(Box& box, const Signals& signals) {
  while (true) {
    pollfd watched[] = {{box.pidfd(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}};
    if (poll(watched, std::size(watched), -1) < 0 && errno != EINTR)
      return system_error(errno, "poll");
    if (watched[0].revents != 0) return {};
    const int number = watched[1].revents != 0 ? signals.next() : 0;
    // It may have ended just now; then there is nobody to tell.
    if (is_passed_on(number)) (void)box.container().signal(number);
  }
}

Result<int> exit_code(Box& box) {
  const ExitRecord record = TRY(box.wait());
  if (record.exit) return record.exit->shell_code();
  log(LogLevel::Warning,
      formatted("container {}: exit status unknown: its keeper has gone", box.id()));
  return kUnknownExit;
}

Result<int> in_foreground(Box& box, const Signals& signals, const Arguments& arguments) {
  if (!box.terminal()) {
    TRY(stay_beside(box, signals));
    return exit_code(box);
  }
  const auto exit =
      TRY(stay_attached(box, signals, {.keys = TRY(detach_keys(arguments)), .input = true}));
  return exit ? exit_code(box) : 0;
}

}  // namespace

Result<int> run_box(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  const bool detach = arguments.on("detach");
  berth::Command command = TRY(read_command(arguments));
  TRY(detach_keys(arguments));
  command.remove_at_end = arguments.on("rm") || (!detach && !arguments.on("keep"));
  auto driver = TRY(Driver::open({.factory = TRY(factory_options(invocation))}));
  auto signals = TRY(Signals::take());
  const bool kept = detach || command.terminal;
  auto box = TRY(driver.run(command, {.streams = kept ? Streams::Kept : Streams::Given,
                                      .attach = command.terminal && !detach}));
  if (!detach) return in_foreground(box, signals, arguments);
  TRY(print(box.id() + "\n"));
  return 0;
}

}  // namespace berth::cli
