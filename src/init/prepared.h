// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/filter.h>

#include <string>
#include <vector>

// What the engine made ready for the child and a plan can not hold. The child reads it, and writes
// only where said.
namespace berth::init {

struct PreparedHook {
  std::vector<char*> argv = {};  // ends with nullptr
  std::vector<char*> envp = {};
};

// The state document for hooks that init runs: text before the pid, text after it.
struct PreparedState {
  std::string before_pid = {};
  std::string after_pid = {};
};

// What every process of a container needs, init or exec'ed.
struct PreparedProcess {
  int channel = -1;  // InitEnd
  std::vector<int> kept =
      {};  // descriptors that the child needs, ascending: all others above 2 are closed first
  int streams[3] = {-1, -1, -1};     // what becomes descriptors 0, 1 and 2; -1: is it already
  std::vector<int> task_files = {};  // v1: "0" is written to each
  // A pipe on which the child waits until the host has moved it into its cgroup; -1: it is in.
  int cgroup_door = -1;
  int cgroup_door_outside = -1;  // the host's end of it, for the child to close
  std::vector<char*> argv = {};
  std::vector<char*> envp = {};
  char* home_slot =
      nullptr;  // "HOME=" and room for PATH_MAX, in envp: written by init (home_from_passwd)
  char listen_pid[24] = {};    // "LISTEN_PID=", in envp: completed by init; empty: not passed
  const char* path = nullptr;  // value of PATH in envp
  sock_fprog seccomp = {};     // len 0: none
  sock_fprog added_filter = {};
  bool stays_readable = false;  // a host without privileges must fetch the filter's listener
  unsigned seccomp_flags = 0;
  bool seccomp_listener = false;
  int core_peer = 0;  // exec: the container's init as the new process sees it, for its cookie
  int last_capability = 40;
  uint64_t ignored_signals = 0;   // bit n-1: to be reset to the default
  bool setgroups_denied = false;  // written by init: what a user namespace that is joined says
  std::string keyring = {};       // "_ses.ID"; empty: keep the caller's
  std::string label = {};         // what is written to the label file, "exec NAME"
  bool sets_rlimits = true;       // false: the host does, only it has the rights (user namespace)
  bool plain_newlines = false;    // the caller relays the terminal itself: no ONLCR
};

struct PreparedInit {
  PreparedProcess process = {};
  int gate = -1;  // FIFO opened O_RDWR; -1: started by the channel. A failure after the gate is
                  // written to it
  std::vector<int> joined = {};         // namespace descriptors, beside plan.namespaces->join
  std::vector<int> mount_sources = {};  // beside plan.mounts: opened by the host, or -1
  std::vector<int> id_maps = {};  // beside plan.mounts: a user namespace for what init opens, or -1
  // Beside plan.mounts: where a source that the host opens is a link to, for copy-symlink.
  std::vector<std::string> links = {};
  std::vector<int> late_mounts =
      {};  // beside plan.mounts: written by init, those to be made read-only at the end
  std::vector<PreparedHook> create_hooks = {};
  std::vector<PreparedHook> start_hooks = {};
  PreparedState creating = {};
  PreparedState created = {};
  int hook_output = -1;  // memfd: what hooks write to stderr, for the error
  // The host's /proc: by it all that a hook has started is found at the end of its time. -1: no
  // hook has a limit, or all end with init, whose pid namespace is its own.
  int processes = -1;
  bool host_work = false;          // hooks of the host run while init waits
  std::string time_offsets = {};   // text of timens_offsets
  std::string overlay_place = {};  // `berth try`: an empty directory for the overlay's tmpfs
};

struct PreparedEnter {
  PreparedProcess process = {};
  int target = -1;  // pidfd of the container's init
  int root = -1;    // its root (O_PATH), where its mount namespace has another
  // FIFO opened O_RDWR, for which PreparedInit::gate holds; -1: it is not held there.
  int gate = -1;
  int door = -1;               // a FIFO (O_PATH): it goes on when somebody reads from it
  int tools = -1;              // a detached mount, attached at one of the plan's tool_places
  char** path_slot = nullptr;  // in envp: written by init, once it knows where the tools are
  std::vector<char*> tool_paths = {};  // beside plan.tool_places: "PATH=..."
};

}  // namespace berth::init
