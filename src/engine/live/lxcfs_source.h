// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "engine/live/limited_child.h"
#include "os/fd.h"
#include "os/mountinfo.h"

namespace berth::engine {

// A file as a container shall have it.
struct OfferedFile {
  std::string path = {};
  os::UniqueFd file = {};  // O_PATH, of lxcfs
};

// An lxcfs of the caller's mount namespace.
struct LxcfsSource {
  std::string directory = {};
  std::string device = {};  // of its filesystem; empty: none is mounted
  std::vector<OfferedFile> files = {};
};

inline constexpr const char* kLxcfsType = "fuse.lxcfs";

// Where it is mounted: in a directory that is named, else in that of Debian or of LXC, else in the
// only one. InvalidUse when there are several others. Asks lxcfs nothing.
Result<LxcfsSource> find_lxcfs(const std::string& directory,
                               const std::vector<os::MountEntry>& mounts);

// Asks an lxcfs for its files by a child, so that the caller can do something else meanwhile.
class LxcfsQuestion {
 public:
  // The source must outlive it. Unsupported: none is mounted.
  static Result<LxcfsQuestion> ask(LxcfsSource& source, std::chrono::milliseconds limit);
  // The source's files, once it has answered in that time.
  Result<> await_files();

 private:
  LxcfsQuestion(LxcfsSource& source, Deadline deadline, LimitedChild child, os::UniqueFd answers);
  LxcfsSource* source_;
  Deadline deadline_;
  LimitedChild child_;
  os::UniqueFd answers_;
};

}  // namespace berth::engine
