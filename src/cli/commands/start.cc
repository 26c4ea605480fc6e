// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<pid_t> process_id(const std::string& text) {
  const auto pid = TRY(parse_unsigned(text) | context("option --process"));
  if (pid > 0 && pid <= static_cast<uint64_t>(std::numeric_limits<pid_t>::max()))
    return static_cast<pid_t>(pid);
  return fail(ErrorKind::InvalidUse, "option --process: {} is no process", text);
}

}  // namespace

Result<int> run_start(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  if (arguments.given("process")) {
    const pid_t pid = TRY(process_id(arguments.text("process")));
    auto container = TRY(find_container(invocation));
    TRY(container.start_process(pid));
    return 0;
  }
  auto container = TRY(find_container(invocation));
  TRY(container.start(notify_socket()));
  return 0;
}

}  // namespace berth::cli
