// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "cli/session.h"

namespace berth::cli {

Result<int> run_state(const Invocation& invocation) {
  auto container = TRY(find_container(invocation));
  auto state = TRY(container.state());
  TRY(print(state.to_json() + "\n"));
  return 0;
}

}  // namespace berth::cli
