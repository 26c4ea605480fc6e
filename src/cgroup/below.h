// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "berth/error.h"
#include "cgroup/directory.h"
#include "os/fd.h"

// Where below the container's own cgroup a further process goes.
namespace berth::cgroup {

// In the unified hierarchy: the container's own one, until another is opened.
class Below {
 public:
  Result<> open(const Directory& own, const std::string& path);  // "a/b"; empty: the own one
  int fd(const Directory& own) const;                            // -1: not there
  Result<> add(const Directory& own, pid_t process) const;
  const std::string& path() const { return path_; }

 private:
  std::string path_ = {};
  os::UniqueFd fd_ = {};
};

// v1: the file in which one writes to enter.
Result<os::UniqueFd> open_tasks_below(const Directory& own, const std::string& path);

// "a/b" when the text of /proc/PID/cgroup says that the process is there below its container's
// cgroup of v2. nullopt: it is not below.
std::optional<std::string> place_below(std::string_view membership, const Directory& own);

// Why nothing could be cloned into a cgroup of v2.
Error entry_error(const Directory& own, const Below& below, int error);

std::unexpected<Error> unknown_controller(const std::string& controller);

}  // namespace berth::cgroup
