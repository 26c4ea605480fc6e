// SPDX-License-Identifier: Apache-2.0
#include "cgroup/cpuset.h"

#include <fcntl.h>

#include "berth/try.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::cgroup {
namespace {

constexpr const char* kFiles[] = {"cpuset.cpus", "cpuset.mems"};
constexpr size_t kLimit = 65536;

// `values` come from the level above and leave as this level's.
Result<> fill_level(int level, std::string (&values)[2]) {
  for (size_t file = 0; file < 2; ++file) {
    const std::string own(trimmed(TRY(os::read_file_at(level, kFiles[file], kLimit))));
    if (!own.empty())
      values[file] = own;
    else
      TRY(os::write_file_at(level, kFiles[file], values[file]));
  }
  return {};
}

}  // namespace

Result<> fill_cpuset(const Directory& directory) {
  std::string values[2];
  std::vector<std::string> levels = {""};
  for (const std::string& part : split_path(directory.place().path)) {
    levels.push_back(levels.back().empty() ? part : levels.back() + "/" + part);
  }
  for (const std::string& path : levels) {
    const os::UniqueFd level = TRY(directory.open_in_hierarchy(path, O_PATH | O_DIRECTORY));
    TRY(fill_level(level.get(), values) |
        context("initialise cpuset of cgroup {}/{}", directory.place().mountpoint, path));
  }
  return {};
}

}  // namespace berth::cgroup
