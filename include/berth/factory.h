// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "berth/container.h"
#include "berth/error.h"
#include "berth/process.h"

namespace berth {

enum class CgroupManagerKind { Filesystem, Systemd, Disabled };
enum class Rootless { Auto, Yes, No };

struct FactoryOptions {
  std::string state_root = {};  // empty: default_state_root()
  CgroupManagerKind cgroup_manager = CgroupManagerKind::Filesystem;
  Rootless rootless = Rootless::Auto;
  // Called for what is carried out differently than asked and is no error: an unknown capability, a
  // v1-only limit on v2. Empty: nobody wants to know.
  std::function<void(const std::string&)> on_warning = {};
};

// /run/berth, or $XDG_RUNTIME_DIR/berth for an ordinary user.
std::string default_state_root();

struct CreateOptions {
  std::string bundle = {};       // directory; empty: the current one
  std::string config_file = {};  // other file than BUNDLE/config.json
  std::string config_json = {};  // the text itself, instead of a file
  std::string console_socket = {};
  std::string pid_file = {};
  std::string pidfd_socket = {};
  // Asked for the size of a terminal for which config.json has no consoleSize. Empty: not known.
  std::function<WindowSize()> window = {};
  // $NOTIFY_SOCKET of the caller: the program gets one of its own, and its READY is passed on.
  // Detached, run returns only then.
  std::string notify_socket = {};
  bool detach =
      true;  // false: the caller stays as the foreground parent; matters for terminals only
  bool no_pivot = false;
  bool no_new_keyring = false;
  int preserve_fds = 0;
  // Called once the plan is made, before anything else is, when somebody in the container could
  // look at the calling program while it is set up (hooks, a start gate, a pid namespace that is
  // not new). The place to go on from a copy that nobody can write: protect_executable. An error is
  // create's error.
  std::function<Result<>()> on_exposed = {};
  bool host_overlay =
      false;  // root.path is shown copy-on-write: overlay with a tmpfs upper (`berth try`)
};

struct ListEntry {
  ContainerState state = {};
  std::string error =
      {};  // not empty: this container's record can not be read; only state.id is right
};

// A container whose program runs.
struct Started {
  Container container;
  Process process;
};

class Factory {
 public:
  // Makes the state root (0700) when it is missing only when something is created.
  static Result<Factory> open(FactoryOptions options);

  // Builds everything up to, but not including, the program's execve. AlreadyExists when the id is
  // taken.
  Result<Container> create(std::string_view id, const CreateOptions& options);
  // create and start in one; returns when the program's execve has happened. The process is the
  // caller's child. The container's first destroy needs no second look at what was made.
  Result<Started> run(std::string_view id, const CreateOptions& options);
  // NotFound when there is none. A damaged record is no error here: destroy(true) must stay
  // possible.
  Result<Container> load(std::string_view id) const;
  // All of the state root, none when it is not there; sorted by id. One bad container never hides
  // another.
  Result<std::vector<ListEntry>> list() const;
  bool state_root_exists() const;

  // What create would do, as JSON, without doing it and without privileges.
  Result<std::string> plan(std::string_view id, const CreateOptions& options) const;

 private:
  explicit Factory(FactoryOptions options) : options_(std::move(options)) {}
  FactoryOptions options_;
};

// For main() of a program that creates containers or execs into them, and for
// CreateOptions::on_exposed: runs the program again from a copy that nobody can write
// (CVE-2019-5736), once. Returns when nothing is to be done or the copy runs already.
Result<> protect_executable(char** argv);

}  // namespace berth
