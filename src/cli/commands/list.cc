// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/table.h"
#include "core/context.h"

namespace berth::cli {
namespace {

using Row = std::vector<std::string>;

Row row_of(const ContainerState& state) {
  return {state.id,
          formatted("{}", state.pid),
          std::string(to_string(state.status)),
          state.bundle,
          state.created,
          state.owner};
}

std::string json(const std::vector<ContainerState>& states) {
  std::string text;
  for (const auto& state : states) text += (text.empty() ? "[" : ",") + state.to_json(0);
  // Not []: callers know this form from runc.
  return text.empty() ? "null\n" : text + "]\n";
}

Result<std::vector<ContainerState>> readable_states(const Factory& factory) {
  std::vector<ContainerState> states;
  for (auto& entry : TRY(factory.list())) {
    if (entry.error.empty()) {
      states.push_back(std::move(entry.state));
    } else {
      log(LogLevel::Warning, formatted("container {}: {}", entry.state.id, entry.error));
    }
  }
  return states;
}

}  // namespace

Result<int> run_list(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto factory = TRY(open_factory(invocation));
  if (invocation.globals.given("root") && !factory.state_root_exists()) {
    return fail(ErrorKind::NotFound, "--root={}: no such file or directory",
                invocation.globals.text("root"));
  }
  auto states = TRY(readable_states(factory));
  std::string text;
  if (arguments.on("quiet")) {
    for (const auto& state : states) text += state.id + '\n';
  } else if (arguments.text("format") == "json") {
    text = json(states);
  } else {
    std::vector<Row> rows = {{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}};
    for (const auto& state : states) rows.push_back(row_of(state));
    text = table(rows);
  }
  TRY(print(text));
  return 0;
}

}  // namespace berth::cli
