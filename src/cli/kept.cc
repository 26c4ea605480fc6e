// SPDX-License-Identifier: Apache-2.0
#include "cli/kept.h"

#include <unistd.h>

#include "berth/try.h"
#include "cli/attached.h"
#include "cli/box_options.h"
#include "cli/foreground.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/session.h"
#include "core/context.h"
#include "driver/keeper_channel.h"

namespace berth::cli {

Result<std::string> state_directory(const Invocation& invocation, const std::string& id) {
  const std::string root = TRY(factory_options(invocation)).state_root;
  return (root.empty() ? default_state_root() : root) + "/" + id;
}

Result<int> stay_with_keeper(const Invocation& invocation, driver::KeeperOrders orders) {
  const Arguments& arguments = invocation.arguments;
  if (arguments.on("detach"))
    return fail(ErrorKind::InvalidUse, "--detach and --detach-keys: one of them can be asked for");
  AttachSettings settings{.keys = TRY(detach_keys(arguments))};
  // The keeper can not begin anew from a copy of the program once it was forked.
  TRY(protect_executable(invocation.argv));
  const bool is_first = orders.is_first;
  driver::SpawnedKeeper keeper = TRY(driver::fork_keeper(std::move(orders)));
  const Signals signals = TRY(Signals::take());
  const driver::StartedBox started = TRY(driver::hear_start(
      keeper.channel.get(), [](const std::string& text) { log(LogLevel::Warning, text); }));
  write_held_lines();
  KeptProgram program{.attachment = driver::take_client(keeper),
                      .terminal = true,
                      .signal = [&started](int number) { (void)started.signal(number); }};
  const auto exit = TRY(stay_attached(std::move(program), signals, std::move(settings)));
  if (exit) {
    driver::await_keeper(keeper);
    return exit->shell_code();
  }
  if (!is_first)
    TRY(write_all(STDERR_FILENO,
                  formatted("left: berth attach --process {} goes back\n", started.pid)));
  return 0;
}

}  // namespace berth::cli
