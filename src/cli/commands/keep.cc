// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/session.h"
#include "core/context.h"
#include "driver/keeper.h"
#include "driver/spawn_keeper.h"

namespace berth::cli {
namespace {

// A keeper is nobody's child: who has started it need not live as long.
Result<> leave_parent() {
  const pid_t pid = fork();
  if (pid < 0) return system_error(errno, "fork");
  if (pid > 0) _exit(0);
  if (chdir("/") < 0) return system_error(errno, "chdir");
  return {};
}

Result<std::string> read_config() {
  struct stat status = {};
  if (fstat(driver::kConfig, &status) < 0) return system_error(errno, "read the config");
  std::string text(static_cast<size_t>(status.st_size), '\0');
  if (pread(driver::kConfig, text.data(), text.size(), 0) != status.st_size)
    return system_error(errno, "read the config");
  return text;
}

}  // namespace

Result<int> run_keep(const Invocation& invocation) {
  const Arguments& arguments = invocation.arguments;
  TRY(leave_parent());
  (void)close_range(driver::kEnd, ~0U, 0);
  FactoryOptions factory = TRY(factory_options(invocation));
  const std::string id = arguments.word(0);
  const std::string root = factory.state_root.empty() ? default_state_root() : factory.state_root;
  const CreateOptions create{
      .bundle = arguments.text("bundle"),
      .config_json = TRY(read_config()),
      .detach = false,
      .terminal_newlines = true,
      .on_exposed = [argv = invocation.argv] { return protect_executable(argv); },
      .host_overlay = arguments.on("overlay")};
  driver::KeeperOrders orders{
      .start = [&](std::function<void(const std::string&)> on_warning) -> Result<Started> {
        factory.on_warning = std::move(on_warning);
        return TRY(Factory::open(factory)).run(id, create);
      },
      .directory = root + "/" + id,
      .channel = driver::kChannel,
      .client = arguments.on("client") ? driver::kClient : -1,
      .remove_at_end = arguments.on("remove")};
  const std::string streams = arguments.text("streams");
  if (streams == to_string(Streams::Kept)) orders.streams = Streams::Kept;
  TRY(driver::keep(std::move(orders)));
  return 0;
}

}  // namespace berth::cli
