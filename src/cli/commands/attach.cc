// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "cli/attached.h"
#include "cli/box_options.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// By its number, as `exec` has told it when it was left.
Result<std::optional<ExitStatus>> attach_process(const Invocation& invocation, const Driver& driver,
                                                 const Signals& signals, AttachSettings settings) {
  const Arguments& arguments = invocation.arguments;
  const int64_t pid = TRY(parse_integer(arguments.text("process")) | context("option --process"));
  KeptProgram program{.attachment = TRY(driver.attach(arguments.word(0), static_cast<pid_t>(pid))),
                      .terminal = true,
                      .signal = [](int) {}};
  return stay_attached(std::move(program), signals, std::move(settings));
}

Result<std::optional<ExitStatus>> attach_first(const Invocation& invocation, const Driver& driver,
                                               const Signals& signals, AttachSettings settings) {
  const std::string id = invocation.arguments.word(0);
  Result<Box> box = driver.find(id);
  if (box) return stay_attached(*box, signals, std::move(settings));
  if (box.error().kind() != ErrorKind::NotFound) return std::unexpected(std::move(box).error());
  Container container = TRY(find_container(invocation));
  KeptProgram program{.attachment = TRY(driver.attach(id)),
                      .terminal = true,
                      .signal = [&container](int number) { (void)container.signal(number); }};
  return stay_attached(std::move(program), signals, std::move(settings));
}

}  // namespace

Result<int> run_attach(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  AttachSettings settings{.keys = TRY(detach_keys(arguments)), .input = !arguments.on("no-stdin")};
  const auto driver = TRY(Driver::open({.factory = TRY(factory_options(invocation))}));
  const auto signals = TRY(Signals::take());
  const auto attach = arguments.given("process") ? attach_process : attach_first;
  const auto exit = TRY(attach(invocation, driver, signals, std::move(settings)));
  return exit ? exit->shell_code() : 0;
}

}  // namespace berth::cli
