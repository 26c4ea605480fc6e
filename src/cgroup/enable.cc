// SPDX-License-Identifier: Apache-2.0
#include "cgroup/enable.h"

#include <errno.h>
#include <fcntl.h>

#include <algorithm>

#include "berth/try.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::cgroup {
namespace {

using Names = std::vector<std::string>;

Names split_words(std::string_view text) {
  std::string path(trimmed(text));
  std::ranges::replace(path, ' ', '/');
  return split_path(path);
}

bool contains(const Names& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

Names needed_by(std::span<const plan::CgroupWrite> writes) {
  Names names;
  for (const plan::CgroupWrite& write : writes) {
    if (!write.controller.empty() && !write.if_exists && !contains(names, write.controller))
      names.push_back(write.controller);
  }
  return names;
}

Names missing_from(const Names& wanted, const Names& present) {
  Names missing;
  for (const std::string& name : wanted) {
    if (!contains(present, name)) missing.push_back(name);
  }
  return missing;
}

std::string explain(int error, const std::string& controller, const std::string& where) {
  if (error == EBUSY)
    return formatted("enable controller {} in cgroup {}: it holds processes", controller, where);
  if (error == EOPNOTSUPP)
    return formatted("enable controller {} in cgroup {}: the cgroup is threaded", controller,
                     where);
  return formatted("enable controller {} in cgroup {}", controller, where);
}

Result<> enable_one_by_one(int level, const Names& missing, const Names& needed,
                           const std::string& where) {
  for (const std::string& name : missing) {
    Result<> done = os::write_file_at(level, "cgroup.subtree_control", "+" + name);
    if (done || !contains(needed, name)) continue;
    const int error = done.error().os_error();
    if (error == ENOENT) {
      return std::unexpected(
          Error(ErrorKind::System, ENOENT,
                formatted("controller {} is not available in cgroup {}", name, where)));
    }
    return system_error(error, "{}", explain(error, name, where));
  }
  return {};
}

// One level of the tree, and the way to it for messages.
struct Level {
  int fd;
  std::string path;
};

// A cgroup with processes of its own gives on only what works for threads, and what is below it
// then is no place for processes: nothing that nobody needs is enabled there. The root is exempt.
Result<bool> holds_processes(const Level& level, bool is_root) {
  if (is_root) return false;
  Result<std::string> processes = read_control(level.fd, "cgroup.procs");
  // It is threaded already.
  if (!processes && processes.error().os_error() == EOPNOTSUPP) return true;
  return !TRY(std::move(processes)).empty();
}

Result<> enable_at(const Level& level, const Names& wanted, const Names& needed, bool is_root) {
  const Names present = split_words(TRY(read_control(level.fd, "cgroup.subtree_control")));
  const Names missing = missing_from(wanted, present);
  if (missing.empty()) return {};
  if (TRY(holds_processes(level, is_root)))
    return enable_one_by_one(level.fd, missing_from(needed, present), needed, level.path);
  std::string all;
  for (const std::string& name : missing) all += (all.empty() ? "+" : " +") + name;
  if (os::write_file_at(level.fd, "cgroup.subtree_control", all)) return {};
  return enable_one_by_one(level.fd, missing, needed, level.path);
}

bool is_of_threads(const std::string& controller) {
  constexpr std::string_view kOfThreads[] = {"cpu", "cpuset", "perf_event", "pids"};
  return std::ranges::find(kOfThreads, controller) != std::end(kOfThreads);
}

}  // namespace

Result<> make_habitable(const Directory& directory, std::span<const plan::CgroupWrite> writes) {
  const std::string type = TRY(directory.read("cgroup.type"));
  if (trimmed(type) != "domain invalid") return {};
  for (const std::string& name : needed_by(writes)) {
    if (is_of_threads(name)) continue;
    return fail(ErrorKind::WrongState,
                "cgroup {} cannot be limited by controller {}: one above it holds processes itself",
                directory.full_path(), name);
  }
  return directory.write("cgroup.type", "threaded");
}

Result<> enable_controllers(const Directory& directory, std::span<const plan::CgroupWrite> writes,
                            Enable which) {
  const int root = TRY(directory.root());
  const Names available = split_words(TRY(read_control(root, "cgroup.controllers")));
  const Names needed = needed_by(writes);
  for (const std::string& name : missing_from(needed, available)) {
    return std::unexpected(
        Error(ErrorKind::System, ENOENT,
              formatted("the requested cgroup controller `{}` is not available", name)));
  }
  const Names& wanted = which == Enable::Needed ? needed : available;
  if (wanted.empty()) return {};
  const std::string& mountpoint = directory.place().mountpoint;
  TRY(enable_at({root, mountpoint + "/"}, wanted, needed, true));
  std::string path;
  for (const std::string& part : split_path(directory.parent_path())) {
    path += (path.empty() ? "" : "/") + part;
    const os::UniqueFd level = TRY(directory.open_in_hierarchy(path, O_PATH | O_DIRECTORY));
    TRY(enable_at({level.get(), mountpoint + "/" + path}, wanted, needed, false));
  }
  return {};
}

}  // namespace berth::cgroup
