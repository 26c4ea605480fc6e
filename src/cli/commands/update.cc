// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/process_options.h"
#include "cli/resource_options.h"
#include "cli/session.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<Resources> read_resources(const Arguments& arguments) {
  Resources by_options = TRY(resources_of_options(arguments));
  if (!arguments.given("resources")) return by_options;
  if (by_options != Resources{})
    log(LogLevel::Warning, "options for single limits are ignored: --resources is given");
  const std::string text =
      TRY(read_text(arguments.text("resources")) | context("option --resources"));
  return parse_resources(text) | context("option --resources");
}

}  // namespace

Result<int> run_update(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  Container container = TRY(find_container(invocation));
  TRY(container.update({.resources = TRY(read_resources(arguments)),
                        .l3_cache_schema = arguments.text("l3-cache-schema"),
                        .mem_bw_schema = arguments.text("mem-bw-schema"),
                        .process = TRY(read_process_options(arguments)),
                        .force = arguments.on("force")}));
  return 0;
}

}  // namespace berth::cli
