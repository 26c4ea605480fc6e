// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "berth/driver.h"
#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/foreground.h"
#include "cli/log.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/terminal.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// What the container looks like from the inside; needs a POSIX shell and /proc only.
constexpr std::string_view kSelfPortrait = R"sh(
row() { printf '%-13s %s\n' "$1" "$2"; }
field() { while read -r name value; do [ "$name" = "$1:" ] && echo "$value"; done < /proc/self/status; }
row pid "$$"
read -r host < /proc/sys/kernel/hostname
row hostname "$host"
row user "$(id -un 2>/dev/null || echo '?') ($(id -u):$(id -g))"
row namespaces "$(for name in cgroup ipc mnt net pid user uts; do printf '%s ' "$(readlink /proc/self/ns/$name)"; done)"
row cgroup "$(tr '\n' ' ' < /proc/self/cgroup)"
row capabilities "effective $(field CapEff), bounding $(field CapBnd)"
row seccomp "mode $(field Seccomp), no new privileges $(field NoNewPrivs)"
row processes "$(set -- /proc/[0-9]*; echo $#)"
row mounts "$(wc -l < /proc/self/mounts)"
while read -r device target type options rest; do row '' "$target $type ${options%%,*}"; done < /proc/self/mounts
)sh";

Result<std::string> random_id() {
  unsigned char bytes[4];
  if (getrandom(bytes, sizeof bytes, 0) != sizeof bytes) return system_error(errno, "getrandom");
  return formatted("try-{:02x}{:02x}{:02x}{:02x}", bytes[0], bytes[1], bytes[2], bytes[3]);
}

bool on_terminal() { return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1; }

std::vector<std::string> default_command(bool terminal) {
  if (!terminal) return {"/bin/sh", "-c", std::string(kSelfPortrait)};
  const char* shell = getenv("SHELL");
  return {shell != nullptr && shell[0] == '/' ? shell : "/bin/sh"};
}

int64_t monotonic_microseconds() {
  timespec clock = {};
  clock_gettime(CLOCK_MONOTONIC, &clock);
  return clock.tv_sec * int64_t{1000000} + clock.tv_nsec / 1000;
}

// While the program itself writes, so it goes where it can not mix with a result.
Result<> tell_start(int64_t began) {
  auto microseconds = monotonic_microseconds() - began;
  return write_all(
      STDERR_FILENO,
      formatted("{:<13} {}.{:03} ms from the call to the program's first instruction\n",
                "started in", microseconds / 1000, microseconds % 1000));
}

Result<int> stay_and_delete(Started& started, const Signals& signals) {
  auto ended = stay_with(started.process, signals);
  auto deleted = started.container.destroy(true);
  if (!deleted) {
    log(LogLevel::Warning,
        formatted("delete {}: {}", started.container.id(), deleted.error().message()));
  }
  return TRY(std::move(ended)).shell_code();
}

}  // namespace

Result<int> run_try(const Invocation& invocation) {
  auto began = monotonic_microseconds();
  bool terminal = on_terminal();
  auto command = invocation.arguments.words();
  bool portrait = command.empty() && !terminal;
  if (command.empty()) command = default_command(terminal);
  auto id = TRY(random_id());
  auto factory = TRY(open_factory(invocation));
  TRY(become_subreaper());
  auto signals = TRY(Signals::take());
  auto started =
      TRY(factory.run(id, {.bundle = "/",
                           .config_json = TRY(command_config(try_command(command, terminal))),
                           .window = window_size,
                           .detach = false,
                           .on_exposed = [&] { return protect_executable(invocation.argv); },
                           .host_overlay = true}));
  if (portrait) TRY(tell_start(began));
  return stay_and_delete(started, signals);
}

}  // namespace berth::cli
