// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "berth/factory.h"
#include "cgroup/manager.h"
#include "engine/notify.h"
#include "engine/record.h"
#include "engine/state_store.h"
#include "init/prepared.h"
#include "network/interfaces.h"
#include "network/moved_devices.h"
#include "os/process.h"
#include "plan/plan.h"
#include "security/seccomp_compiler.h"
#include "spec/spec.h"
#include "sync/channel.h"

namespace berth::engine {

// A container half made. Its members undo themselves, newest first, unless it is kept.
struct Creation {
  Creation(const FactoryOptions& factory_options, const CreateOptions& create_options)
      : factory(factory_options), options(create_options) {}
  Creation(const Creation&) = delete;
  Creation& operator=(const Creation&) = delete;
  ~Creation();

  const FactoryOptions& factory;
  const CreateOptions& options;
  std::string config = {};  // text of config.json
  spec::Spec spec = {};
  plan::Plan plan = {};
  bool start_now = false;     // run: no gate
  bool plan_as_root = false;  // `berth plan`: what would be done, whoever asks

  StateDir state = {};
  Record record = {};
  std::optional<cgroup::Systemd> systemd = {};  // until the cgroup's manager has it
  std::unique_ptr<cgroup::CgroupManager> cgroup = {};
  std::unique_ptr<network::MovedDevices> moved_devices = {};
  std::unique_ptr<network::Interfaces> interfaces = {};
  os::UniqueFd network_namespace = {};  // once devices are in it
  std::string resctrl = {};             // where it is mounted, when a class of service is asked for
  bool class_made = false;
  security::SeccompProgram seccomp = {};
  init::PreparedInit prepared = {};
  std::string home = {};  // memory of PreparedProcess::home_slot
  std::vector<os::UniqueFd> descriptors =
      {};  // what prepared names and the host closes after the clone
  os::UniqueFd gate = {};
  os::UniqueFd hook_output = {};
  os::UniqueFd console = {};  // the terminal's master
  NotifyRelay notify = {};
  os::ChildProcess init = {};
  sync::HostEnd channel = {};
  bool pid_file_written = false;
  bool kept = false;
};

// Makes a container up to its program's execve, or (start_now) with it.
Result<> create_container(Creation& creation);

// The state document as it is while the container is made and afterwards.
ContainerState state_of(const Record& record, Status status);

}  // namespace berth::engine
