// SPDX-License-Identifier: Apache-2.0
#include "cli/exit_codes.h"

namespace berth::cli {

int exit_code_of_failure(const Invocation& invocation, bool command_ran) {
  if (!command_ran || invocation.command == nullptr) return kFailure;
  return invocation.command->failure_code;
}

}  // namespace berth::cli
