// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace berth::plan {

enum class CgroupLayout {
  None,    // no cgroup filesystem is mounted
  V1,      // hierarchies below a tmpfs
  Hybrid,  // the same, and cgroup2 at `unified` (or the controllers' hierarchies beside a named
           // one)
  V2,      // cgroup2 at /sys/fs/cgroup
};

// One mounted cgroup hierarchy and where the calling process is in it.
struct CgroupHierarchy {
  std::vector<std::string> controllers =
      {};                       // v1: "cpu","cpuacct"; a named one: "name=systemd"; v2: empty
  std::string mountpoint = {};  // "/sys/fs/cgroup/cpu,cpuacct"
  std::string own_path =
      {};  // of /proc/self/cgroup, relative to the mountpoint's root; "/" for the root
  bool is_v2 = false;
};

// Of /etc/subuid or /etc/subgid.
struct IdRange {
  uint32_t first = 0;
  uint32_t size = 0;
  bool operator==(const IdRange&) const = default;
};

// All that a plan may know of the host: gathered by engine/gather_facts.cc, made up by tests.
struct HostFacts {
  uid_t euid = 0;
  gid_t egid = 0;
  bool in_user_namespace = false;  // the caller is not in the initial user namespace
  uint64_t capabilities = 0;       // effective, of the caller
  int last_capability = 40;        // /proc/sys/kernel/cap_last_cap
  mode_t umask = 022;
  uint64_t ignored_signals = 0;   // bit n-1: the caller ignores signal n
  bool setgroups_denied = false;  // /proc/self/setgroups says "deny"
  // Of a caller without privileges: what newuidmap and newgidmap, if they are installed, let it
  // use.
  IdRange subordinate_uids = {};
  IdRange subordinate_gids = {};

  CgroupLayout cgroup_layout = CgroupLayout::None;
  std::vector<CgroupHierarchy> hierarchies = {};
  // Where systemd's manager has its units ("/" or, of a user, below "user@1000.service"); only when
  // its driver is asked for.
  std::string systemd_root = {};
  // A mount and a user namespace are joined, and the first does not belong to the second.
  bool joined_mounts_are_foreign = false;

  bool has_apparmor = false;
  bool has_selinux = false;
  bool has_seccomp = true;
  int landlock_version = 0;  // the ABI's; 0: none

  // Of the caller, for LISTEN_FDS and sd_notify.
  int listen_fds = 0;       // LISTEN_FDS: sockets from descriptor 3 on, passed by a service manager
  int open_listen_fds = 0;  // how many of them are there
  std::string listen_names = {};  // LISTEN_FDNAMES
  std::string notify_socket = {};
};

}  // namespace berth::plan
