// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "berth/container.h"
#include "berth/factory.h"
#include "cgroup/manager.h"
#include "engine/held_exec.h"
#include "engine/notify.h"
#include "engine/record.h"
#include "engine/state_store.h"
#include "os/fd.h"
#include "spec/state.h"

namespace berth::engine {

// A record and what the kernel says of it now.
struct Snapshot {
  Record record = {};
  std::string config = {};  // the saved text of config.json
  Status status = Status::Stopped;
  os::UniqueFd init = {};  // of its first process, while that lives; only when asked for
  // While its first process lives, or of who made it.
  std::unique_ptr<cgroup::CgroupManager> cgroup = {};
};

}  // namespace berth::engine

namespace berth {

// A container on disk. Each call reads the record anew: another program may have changed it.
struct [[gnu::visibility("hidden")]] Container::Inner {
  std::string root;
  std::string id;
  std::function<void(const std::string&)> on_warning;
  std::optional<engine::StateDir> opened = {};
  std::optional<engine::Snapshot> made =
      {};  // by Factory::run, as it is once its program has ended

  void warn(const std::vector<std::string>& warnings) const {
    if (!on_warning) return;
    for (const std::string& warning : warnings) on_warning(warning);
  }
  // The first call takes what Factory::load has opened.
  Result<engine::StateDir> open() {
    if (!opened) return engine::StateDir::open(root, id);
    return std::exchange(opened, std::nullopt).value();
  }
  // What is to be taken down.
  Result<engine::Snapshot> look_at_end(const engine::StateDir& directory);
};

struct [[gnu::visibility("hidden")]] Process::Inner {
  Inner() = default;
  ~Inner();  // ends what is held
  pid_t pid = 0;
  os::UniqueFd pidfd = {};
  std::unique_ptr<engine::HeldExec> held = {};
  os::UniqueFd console = {};
  engine::NotifyRelay notify = {};
};

}  // namespace berth

namespace berth::engine {

spec::State to_spec(const ContainerState& state);
// What hooks read from standard input.
std::string hook_state(const ContainerState& state);

Result<Snapshot> look(const StateDir& directory, bool hold_init = false);

Result<std::unique_ptr<cgroup::CgroupManager>> open_cgroup(const Record& record);

// Whether the record's process is there: no other one that has its pid.
bool is_alive(const Record& record);

// The container's first process by descriptor, checked to be the one of the record. WrongState when
// it has ended.
Result<os::UniqueFd> open_init(const Record& record);

}  // namespace berth::engine
