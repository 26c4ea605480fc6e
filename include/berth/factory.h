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

namespace [[gnu::visibility("default")]] berth {

// Who makes cgroups. Disabled: nobody, the container stays in the caller's.
enum class CgroupManagerKind { Filesystem, Systemd, Disabled };
// Whether what only root may do is left out where it can be. Auto: unless the caller is root.
enum class Rootless { Auto, Yes, No };

// Where the records of containers are, and what holds for all of them.
struct FactoryOptions {
  std::string state_root = {};  // empty: default_state_root()
  CgroupManagerKind cgroup_manager = CgroupManagerKind::Filesystem;
  Rootless rootless = Rootless::Auto;
  // Called for what is carried out differently than asked and is no error: an unknown capability, a
  // v1-only limit on v2. Empty: nobody wants to know.
  std::function<void(const std::string&)> on_warning = {};
};

// /run/berth, or $XDG_RUNTIME_DIR/berth for an ordinary user, also where that is root of a user
// namespace ($USER other than root).
std::string default_state_root();

// What to make a container of. bundle, config_file and config_json say what; what is left as it is
// stays away.
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
  // Its terminal ends lines as terminals do (ONLCR), also in the foreground, where it is the
  // caller's own that does.
  bool terminal_newlines = false;
  bool no_pivot = false;
  bool no_new_keyring = false;
  int preserve_fds = 0;
  StandardStreams streams = kOwnStreams;
  // Called once the plan is made, before anything else is, when somebody in the container could
  // look at the calling program while it is set up (hooks, a start gate, a pid namespace that is
  // not new). The place to go on from a copy that nobody can write: protect_executable. An error is
  // create's error.
  std::function<Result<>()> on_exposed = {};
  bool host_overlay =
      false;  // root.path is shown copy-on-write: overlay with a tmpfs upper (`berth try`)
};

// One container of Factory::list.
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

// Makes and finds the containers below one state root. Holds nothing open, so that it can be
// copied, and used by many threads at once. on_warning is called by the thread that creates or
// execs.
//
// The environment is read here and there (docs/library.md): a program with threads changes it
// before it has any.
class Factory {
 public:
  // Touches nothing: the state root (0700) is made when something is created. InvalidUse for /.
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
  // Whether a container was ever created below it.
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
