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

struct Values {
  std::string text[2] = {};
  bool complete() const { return !text[0].empty() && !text[1].empty(); }
};

Result<Values> read_level(int level) {
  Values values;
  for (size_t file = 0; file < 2; ++file) {
    values.text[file] = trimmed(TRY(read_control(level, kFiles[file])));
  }
  return values;
}

Result<> write_level(int level, const Values& values, const Values& present) {
  for (size_t file = 0; file < 2; ++file) {
    if (present.text[file].empty()) TRY(os::write_file_at(level, kFiles[file], values.text[file]));
  }
  return {};
}

Result<> fill_all(const Directory& directory) {
  Values above;
  std::string path;
  const std::vector<std::string> parts = split_path(directory.place().path);
  for (size_t depth = 0; depth <= parts.size(); ++depth) {
    if (depth > 0) path += (path.empty() ? "" : "/") + parts[depth - 1];
    const os::UniqueFd level = TRY(directory.open_in_hierarchy(path, O_PATH | O_DIRECTORY));
    const Values present = TRY(read_level(level.get()));
    TRY(write_level(level.get(), above, present));
    for (size_t file = 0; file < 2; ++file) {
      if (!present.text[file].empty()) above.text[file] = present.text[file];
    }
  }
  return {};
}

// What was just made is empty, and its parent nearly always complete.
Result<bool> fill_new(const Directory& directory) {
  if (directory.existed() || !directory.made_parents().empty()) return false;
  const os::UniqueFd parent =
      TRY(directory.open_in_hierarchy(directory.parent_path(), O_PATH | O_DIRECTORY));
  const Values values = TRY(read_level(parent.get()));
  if (!values.complete()) return false;
  TRY(write_level(TRY(directory.fd()), values, Values()));
  return true;
}

}  // namespace

Result<> fill_cpuset(const Directory& directory) {
  if (TRY(fill_new(directory) | context("initialise cpuset of cgroup {}", directory.full_path())))
    return {};
  return fill_all(directory) | context("initialise cpuset of cgroup {}", directory.full_path());
}

}  // namespace berth::cgroup
