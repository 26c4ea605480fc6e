// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"

namespace berth::cli {

Result<int> run_create(const Invocation& invocation) {
  auto factory = TRY(open_factory(invocation));
  auto options = TRY(create_options(invocation));
  TRY(factory.create(invocation.arguments.word(0), options));
  return 0;
}

}  // namespace berth::cli
