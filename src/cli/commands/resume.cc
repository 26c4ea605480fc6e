// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"

namespace berth::cli {

Result<int> run_resume(const Invocation& invocation) {
  auto container = TRY(find_container(invocation));
  auto resumed = container.resume();
  if (resumed) return 0;
  // podman looks for these words.
  if (resumed.error().kind() == ErrorKind::WrongState &&
      !resumed.error().message().contains("container not paused")) {
    resumed.error().add_context("container not paused");
  }
  return std::unexpected(std::move(resumed).error());
}

}  // namespace berth::cli
