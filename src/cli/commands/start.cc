// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"

namespace berth::cli {

Result<int> run_start(const Invocation& invocation) {
  auto container = TRY(find_container(invocation));
  TRY(container.start(notify_socket()));
  return 0;
}

}  // namespace berth::cli
