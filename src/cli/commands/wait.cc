// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/exit_codes.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/session.h"
#include "core/context.h"

namespace berth::cli {

Result<int> run_wait(const Invocation& invocation) {
  auto container = TRY(find_container(invocation));
  auto record = TRY(container.wait());
  if (invocation.arguments.text("format") == "json") TRY(print(record.to_json() + "\n"));
  if (record.exit) return record.exit->shell_code();
  log(LogLevel::Warning,
      formatted("container {}: exit status unknown: nobody was watching", container.id()));
  return kUnknownExit;
}

}  // namespace berth::cli
