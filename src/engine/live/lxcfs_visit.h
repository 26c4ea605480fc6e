// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "berth/lxcfs.h"
#include "engine/live/lxcfs_places.h"
#include "engine/live/lxcfs_record.h"
#include "engine/live/lxcfs_source.h"
#include "engine/live/shared_work.h"
#include "init/lxcfs.h"
#include "os/fd.h"

namespace berth::engine {

// One container and the files of lxcfs in it: looks at what is there, prepares what a process shall
// do in it, and looks again when mounts have changed meanwhile.
class LxcfsVisit {
 public:
  // source: must outlive it.
  LxcfsVisit(LxcfsAction action, const RunningContainer& container, const LxcfsSource& source)
      : action_(action), container_(container), source_(source) {
    report_.id = container.id;
    report_.pid = container.pid;
  }

  // What can be known before lxcfs has answered. Otherwise begin does it.
  void look_ahead();
  // What is to be done in it; nullptr: nothing.
  init::LxcfsWork* begin();
  void end();
  bool must_look_again() const { return must_look_; }
  LxcfsReport report() &&;

 private:
  using Work = SharedWork<init::LxcfsWork, init::LxcfsItem>;
  // What a process shall do on one path.
  struct Task {
    const LxcfsPlace* place;     // nullptr: nothing lies there
    const OfferedFile* offered;  // nullptr: what lies there goes
    size_t file;                 // its row in the report
  };

  Result<> open();
  Result<std::vector<os::MountEntry>> read_mounts();
  Result<> look();
  void plan(const std::string& path, const LxcfsPlace* place, const OfferedFile* offered);
  void add(const std::string& path, LxcfsResult result, std::string reason = {});
  Result<> prepare();
  void take_outcome(const Task& task, const init::LxcfsItem& item);
  void note(const LxcfsFile& file, const init::LxcfsItem& item);

  LxcfsAction action_;
  RunningContainer container_;
  const LxcfsSource& source_;
  LxcfsReport report_ = {};
  std::vector<ChangedFile> changed_ = {};
  bool must_look_ = true;

  os::UniqueFd process_ = {};
  os::UniqueFd mount_namespace_ = {};
  os::UniqueFd root_ = {};
  std::optional<std::vector<os::MountEntry>> seen_ = {};  // ahead
  std::vector<LxcfsPlace> places_ = {};
  std::vector<Task> tasks_ = {};
  std::vector<std::string> texts_ = {};
  std::vector<os::UniqueFd> made_ = {};
  Work work_ = {};
};

}  // namespace berth::engine
