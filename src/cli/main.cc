// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <span>

#include "berth/factory.h"
#include "berth/oci.h"
#include "berth/try.h"
#include "cli/exit_codes.h"
#include "cli/help.h"
#include "cli/log.h"
#include "cli/options.h"
#include "cli/output.h"
#include "core/context.h"
#include "core/populate.h"

namespace berth::cli {
namespace {

// A descriptor 0, 1 or 2 that is closed would be given to the next file that is opened.
void open_standard_descriptors() {
  pollfd standard[] = {{0, 0, 0}, {1, 0, 0}, {2, 0, 0}};
  if (poll(standard, std::size(standard), 0) < 0) _exit(kFailure);
  for (const pollfd& stream : standard) {
    const bool closed = (stream.revents & POLLNVAL) != 0;
    if (closed && open("/dev/null", O_RDWR) != stream.fd) _exit(kFailure);
  }
}

std::string version() {
  return formatted("{} version {}\nspec: {}\n", program_name(), BERTH_VERSION, kSpecVersion);
}

Result<int> show(std::string_view text) {
  TRY(print(text));
  return 0;
}

Result<int> run(const Invocation& invocation) {
  const Command* command = invocation.command;
  if (invocation.globals.on("version")) return show(version());
  if (command == nullptr || invocation.globals.on("help")) return show(help_text());
  if (invocation.arguments.on("help")) return show(help_text(*command));
  log(LogLevel::Debug, formatted("berth {}: {}", BERTH_VERSION, command->name));
  return command->run(invocation);
}

int fail_with(const Error& error, int code) {
  log_error(error);
  return code;
}

int main(int argc, char** argv) {
  // What a command writes of it; cli/entry.cc has asked for the other pages.
  constexpr size_t kHeap = 40 << 10;
  populate_heap(kHeap);
  open_standard_descriptors();
  // A caller that ignores it would have the kernel reap our children: their end could not be read.
  (void)signal(SIGCHLD, SIG_DFL);
  set_program_name(argc > 0 ? argv[0] : "");
  std::span<const char* const> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  auto [invocation, usage_error] = parse_command_line(words);
  invocation.argv = argv;
  const Command* command = invocation.command;
  if (command != nullptr && command->enters_containers && !usage_error) {
    if (auto copied = protect_executable(argv); !copied) return fail_with(copied.error(), kFailure);
  }
  if (auto opened = open_log(invocation.globals); !opened) {
    return fail_with(opened.error(), kFailure);
  }
  if (usage_error) return fail_with(*usage_error, exit_code_of_failure(invocation, false));
  auto code = run(invocation);
  if (!code) return fail_with(code.error(), exit_code_of_failure(invocation, true));
  write_held_lines();
  return *code;
}

}  // namespace
}  // namespace berth::cli

int main(int argc, char** argv) { return berth::cli::main(argc, argv); }
