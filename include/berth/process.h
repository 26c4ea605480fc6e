// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "berth/error.h"

namespace berth {

// How a process ended: either an exit code or the signal that killed it.
struct ExitStatus {
  int code = 0;
  int signal = 0;  // 0: it exited by itself
  int shell_code() const { return signal != 0 ? 128 + signal : code; }
};

// In characters; 0: not known.
struct WindowSize {
  uint16_t rows = 0;
  uint16_t columns = 0;
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
  int preserve_fds = 0;                   // descriptors 3..3+n-1 of the caller stay open
  std::vector<std::string> cgroups = {};  // "[controller,...:]/sub/path"
  bool ignore_paused = false;
  // Asked for the size of a terminal for which consoleSize gives none. Empty: not known.
  std::function<WindowSize()> window = {};
  std::string console_socket = {};  // AF_UNIX stream socket that gets the terminal's master
  std::string pid_file = {};
  std::string pidfd_socket = {};
  bool detach =
      false;  // false: the caller stays as the foreground parent; matters for terminals only
};

// A process of a container that the caller started. Closing the handle does not end it.
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
  Result<> pass_notification();
  // Waits for the end and reaps. The caller must be the parent (it is for what create and exec
  // return).
  Result<ExitStatus> wait();
  Result<> signal(int signal_number);

  struct Inner;
  explicit Process(std::unique_ptr<Inner> inner);

 private:
  std::unique_ptr<Inner> inner_;
};

}  // namespace berth
