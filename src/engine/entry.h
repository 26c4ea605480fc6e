// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "berth/process.h"
#include "cgroup/manager.h"
#include "engine/record.h"
#include "engine/state_store.h"
#include "init/prepared.h"
#include "os/process.h"
#include "plan/plan.h"
#include "security/seccomp_compiler.h"
#include "spec/spec.h"
#include "sync/channel.h"

namespace berth::engine {

// The gate at which a process is held: removed unless it is kept.
class HeldGate {
 public:
  HeldGate() = default;
  HeldGate(const HeldGate&) = delete;
  HeldGate& operator=(const HeldGate&) = delete;
  ~HeldGate();

  Result<> make(const StateDir& directory);  // which must outlive it
  int fd() const { return fd_.get(); }
  // Under the name by which start_process finds it.
  Result<> name_for(pid_t pid);
  void keep() { directory_ = nullptr; }

 private:
  const StateDir* directory_ = nullptr;
  std::string name_ = {};
  os::UniqueFd fd_ = {};
};

// A process half entered: killed and reaped unless it is handed out.
struct Entry {
  const ProcessSpec& wanted;
  Record record = {};
  spec::Spec spec = {};
  plan::EnterPlan plan = {};
  std::unique_ptr<cgroup::CgroupManager> cgroup = {};
  std::vector<plan::SubCgroup> sub_cgroups = {};
  security::SeccompProgram seccomp = {};
  init::PreparedEnter prepared = {};
  std::string home = {};
  os::UniqueFd target = {};
  os::UniqueFd root = {};  // of the container, where it is not that of its mount namespace
  os::ChildProcess child = {};
  sync::HostEnd channel = {};
  os::UniqueFd console = {};
  os::UniqueFd door = {};                    // ProcessSpec::wait_fifo
  os::UniqueFd tools = {};                   // a detached mount
  std::vector<std::string> tool_paths = {};  // memory of PreparedEnter::tool_paths
  HeldGate gate = {};
  bool goes_on = false;  // has been told to, and does not wait
};

// What will be done, from the text of the container's config.json and what the caller wants.
Result<> plan_entry(std::string_view config, Entry& entry);

// What the process waits for, if it is to wait, opened.
Result<> prepare_hold(const StateDir& directory, Entry& entry);
// ProcessSpec::tools, as a mount that is attached nowhere yet.
Result<> prepare_tools(Entry& entry);

// Starts the process in the container's pid namespace and cgroup; it enters the rest itself.
Result<> launch(Entry& entry);
// Once the joiner, which has ended then, has told who the process is.
Result<> adopt(Entry& entry, sync::Heard& heard);

}  // namespace berth::engine
