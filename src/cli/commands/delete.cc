// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"

namespace berth::cli {

Result<int> run_delete(const Invocation& invocation) {
  bool force = invocation.arguments.on("force");
  auto container = find_container(invocation);
  if (!container) {
    if (force && container.error().kind() == ErrorKind::NotFound) return 0;
    return std::unexpected(std::move(container).error());
  }
  auto deleted = container->destroy(force);
  // Somebody else was faster.
  if (!deleted && force && deleted.error().kind() == ErrorKind::NotFound) return 0;
  TRY(std::move(deleted));
  return 0;
}

}  // namespace berth::cli
