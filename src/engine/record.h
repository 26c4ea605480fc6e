// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "berth/container.h"
#include "berth/mounts.h"
#include "cgroup/resctrl.h"
#include "network/interfaces.h"
#include "network/moved_devices.h"
#include "plan/plan.h"

namespace berth::engine {

// A mount that was added while it ran.
struct AddedMount {
  std::string token = {};  // of the request
  LiveMount mount = {};
  int id = 0;               // STATX_MNT_ID, in this boot
  std::string device = {};  // "8:1", of its filesystem: ids are used again
  bool made_target = false;
  int replaces = 0;                       // the id of the one in whose place it comes
  std::vector<std::string> changed = {};  // attributes, later than the mount's options
  bool operator==(const AddedMount&) const = default;
};

// What is known of a container on disk. Written before the first thing is made (pid 0: the intent),
// so that whatever a killed create left behind can be found and removed; its process is added when
// the container is created.
struct Record {
  // 2: changes_root and annotated; 3: interfaces; 4: mounts; these are written where there are
  // some. Who reads a record of an older version takes what is missing as it was then; one of a
  // newer version is refused.
  static constexpr int kVersion = 4;

  std::string id = {};
  std::string bundle = {};
  std::string rootfs = {};
  std::string created = {};  // RFC 3339, UTC
  std::string oci_version = {};
  std::string boot_id = {};
  uid_t owner = 0;
  pid_t pid = 0;            // 0: being made
  uint64_t start_time = 0;  // with pid and boot_id it names the process for ever
  int64_t started = 0;      // when its program was let go: nanoseconds since 1970; 0: not yet
  pid_t creator = 0;
  uint64_t namespaces = 0;  // CLONE_NEW* that init does not share with its creator
  plan::CgroupDriver cgroup_driver = plan::CgroupDriver::Filesystem;
  bool tolerate_denied = false;
  std::string unit = {};      // of systemd, with its driver
  bool unit_of_user = false;  // of the user's manager
  std::vector<plan::CgroupPlace> cgroups = {};
  std::vector<network::MovedDevice> net_devices = {};
  std::vector<network::MadeInterface> interfaces = {};
  std::vector<AddedMount> mounts = {};
  std::string network_path = {};  // of a network namespace that was joined
  cgroup::RdtPlaces rdt = {};
  std::string pid_file = {};
  bool has_poststart = false;  // hooks for which the config must be read again
  bool has_poststop = false;
  bool changes_root = false;  // init's is not that of its mount namespace
  bool annotated = false;     // by the config: they are not written twice
  StringMap annotations = {};
};

std::string write_record(const Record& record);
Result<Record> read_record(std::string_view text);

// The first line of state.json: pid and start time. Always of the same length, so that it can be
// written over in one piece. What can not be read leaves the record as it is: a line that is
// written while it is read does not add up.
inline constexpr size_t kProcessLine = 96;
std::string write_process(const Record& record);
void read_process(std::string_view text, Record& record);
// The second line: `started`. Written over in the same way, by `start`.
inline constexpr size_t kStartedLine = 24;
inline constexpr size_t kHead = kProcessLine + kStartedLine;
std::string write_started(int64_t nanoseconds);
void read_started(std::string_view text, Record& record);

}  // namespace berth::engine
