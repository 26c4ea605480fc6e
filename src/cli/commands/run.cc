// SPDX-License-Identifier: Apache-2.0
#include <optional>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/foreground.h"
#include "cli/log.h"
#include "cli/relay.h"
#include "cli/session.h"
#include "core/context.h"

namespace berth::cli {
namespace {

Result<int> in_foreground(Factory& factory, const Invocation& invocation,
                          const CreateOptions& options) {
  const auto& arguments = invocation.arguments;
  if (!arguments.on("no-subreaper")) TRY(become_subreaper());
  auto signals = TRY(Signals::take());
  auto [container, process] = TRY(factory.run(arguments.word(0), options));
  auto code = stay_with(process, signals);
  if (arguments.on("keep")) return code;
  auto deleted = container.destroy(true);
  const bool somebody_did = !deleted && deleted.error().kind() == ErrorKind::NotFound;
  if (!deleted && !somebody_did) {
    deleted.error().add_context("delete the container");
    if (code) return std::unexpected(std::move(deleted).error());
    log(LogLevel::Warning, deleted.error().message());
  }
  return code;
}

}  // namespace

Result<int> run_run(const Invocation& invocation) {
  auto factory = TRY(open_factory(invocation));
  auto options = TRY(create_options(invocation));
  options.detach = invocation.arguments.on("detach");
  if (!options.detach) {
    options.window = window_size;
    return in_foreground(factory, invocation, options);
  }
  TRY(factory.run(invocation.arguments.word(0), options));
  return 0;
}

}  // namespace berth::cli
