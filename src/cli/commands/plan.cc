// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/outline.h"
#include "cli/output.h"
#include "cli/session.h"

namespace berth::cli {

Result<int> run_plan(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto id = arguments.given("id") ? arguments.text("id") : std::string("plan");
  auto factory = TRY(open_factory(invocation));
  CreateOptions options = {.bundle = arguments.word(0), .config_file = arguments.text("config")};
  auto json = TRY(factory.plan(id, options));
  if (!json.ends_with('\n')) json += '\n';
  TRY(print(arguments.text("format") == "json" ? json : outline(json)));
  return 0;
}

}  // namespace berth::cli
