// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "berth/error.h"

namespace [[gnu::visibility("default")]] berth {

// How a process ended: either an exit code or the signal that killed it.
struct ExitStatus {
  int code = 0;
  int signal = 0;  // 0: it exited by itself
  // As a shell has it: 128 and the signal, or the code.
  int shell_code() const { return signal != 0 ? 128 + signal : code; }
};

// In characters; 0: not known.
struct WindowSize {
  uint16_t rows = 0;
  uint16_t columns = 0;
};

// Descriptors of the caller that become a program's standard input, output and error. -1: the
// caller's own of that number. A program with a terminal has that instead.
using StandardStreams = std::array<int, 3>;
inline constexpr StandardStreams kOwnStreams = {-1, -1, -1};

// Where a process waits that is set up completely, right before its program is executed: so that
// who made it can attach to it, watch it or move it before its first instruction.
enum class Hold {
  None,
  // Until Process::start. It ends with the handle, and with the program that holds the handle.
  Handle,
  // Until Container::start_process, by whatever program, as a created container waits for `start`.
  Container,
};

// What to run in a running container (`exec`). Either process_json (the spec's process object, used
// as it is) or the other members over the process of config.json.
struct ProcessSpec {
  std::string process_json = {};
  std::vector<std::string> args = {};
  std::vector<std::string> env = {};  // added to the config's
  std::string cwd = {};
  std::string user = {};  // "uid" or "uid:gid", decimal
  std::vector<uint32_t> additional_gids = {};
  std::vector<std::string> capabilities = {};  // added: "CAP_NET_RAW"
  std::string apparmor_profile = {};
  std::string selinux_label = {};
  bool no_new_privileges = false;
  bool terminal = false;
  StandardStreams streams = kOwnStreams;
  int preserve_fds = 0;                   // descriptors 3..3+n-1 of the caller stay open
  std::vector<std::string> cgroups = {};  // "[controller,...:]/sub/path"
  bool ignore_paused = false;
  // Asked for the size of a terminal for which consoleSize gives none. Empty: not known.
  std::function<WindowSize()> window = {};
  // Its terminal ends lines as terminals do (ONLCR), also in the foreground, where it is the
  // caller's own that does.
  bool terminal_newlines = false;
  std::string console_socket = {};  // AF_UNIX stream socket that gets the terminal's master
  std::string pid_file = {};
  std::string pidfd_socket = {};
  // With another than None, pid_file is written and pidfd_socket served before the program runs.
  Hold hold = Hold::None;
  // A FIFO of the caller's, in place of `hold`: exec returns at once, and the program runs as soon
  // as somebody opens the FIFO for reading, and gets the byte '0' (runc's proposal,
  // opencontainers/runc#5373). The container's user must be able to open it for writing (0622).
  // Nobody is told when the program cannot be executed: the process ends with 255.
  std::string wait_fifo = {};
  // A directory of the caller's that the process, and nobody else of the container, finds at
  // tools_place, read-only, with its directories of programs in front of PATH. Needs CAP_SYS_ADMIN.
  // The place must be a directory. Empty: /mnt, /media, /srv or /opt if there is an empty one, else
  // /sys/firmware or /proc/fs.
  std::string tools = {};
  std::string tools_place = {};
  bool detach =
      false;  // false: the caller stays as the foreground parent; matters for terminals only
};

// A process of a container that the caller started. Closing the handle does not end it, unless it
// is held by the handle (Hold::Handle).
class Process {
 public:
  Process(Process&&) noexcept;
  Process& operator=(Process&&) noexcept;
  ~Process();

  // In the caller's pid namespace.
  pid_t pid() const;
  // Readable (poll) once the process has ended. Owned by the handle.
  int pidfd() const;
  // The terminal's master, when the process has a terminal and no console socket was given; else
  // -1. Owned by the handle.
  int console() const;
  // Readable when the program has something for CreateOptions::notify_socket, else -1;
  // pass_notification takes it on. Owned by the handle.
  int notify() const;
  // Takes what is there to CreateOptions::notify_socket. Never blocks.
  Result<> pass_notification();
  // Waits for the end and reaps. The caller must be the parent (it is for what create and exec
  // return).
  Result<ExitStatus> wait();
  // Has a process that the handle holds execute its program, and returns when it has. On failure
  // (the program cannot be executed, the process was killed meanwhile) it has ended and is reaped,
  // and the pid file is gone. WrongState: it is not held.
  Result<> start();
  // WrongState when it has ended.
  Result<> signal(int signal_number);

  struct Inner;
  explicit Process(std::unique_ptr<Inner> inner);

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth
