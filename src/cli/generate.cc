// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/command_table.h"
#include "cli/commands/commands.h"
#include "cli/help.h"
#include "cli/output.h"
#include "core/context.h"

namespace berth::cli {

Result<int> run_help(const Invocation& invocation) {
  auto name = invocation.arguments.word(0);
  if (name.empty()) {
    TRY(print(help_text()));
    return 0;
  }
  const Command* command = find_command(name);
  if (command == nullptr) return fail(ErrorKind::InvalidUse, "No help topic for '{}'", name);
  TRY(print(help_text(*command)));
  return 0;
}

Result<int> run_generate(const Invocation& invocation) {
  auto what = invocation.arguments.word(0);
  auto which = invocation.arguments.word(1);
  if (what == "completion") {
    TRY(print(TRY(completion(which))));
  } else if (what == "scdoc") {
    TRY(print(TRY(manual_page(which))));
  } else {
    return fail(ErrorKind::InvalidUse, "can generate completion and scdoc, not {}", what);
  }
  return 0;
}

}  // namespace berth::cli
