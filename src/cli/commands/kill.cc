// SPDX-License-Identifier: Apache-2.0
#include <signal.h>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "cli/values.h"

namespace berth::cli {

Result<int> run_kill(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto name = arguments.word(1);
  int number = name.empty() ? SIGTERM : TRY(parse_signal(name));
  auto container = TRY(find_container(invocation));
  auto sent = container.signal(number, arguments.on("all") ? SignalScope::All : SignalScope::Init);
  if (sent) return 0;
  // containerd and others look for these words.
  if (sent.error().kind() == ErrorKind::WrongState &&
      !sent.error().message().contains("container not running")) {
    sent.error().add_context("container not running");
  }
  return std::unexpected(std::move(sent).error());
}

}  // namespace berth::cli
