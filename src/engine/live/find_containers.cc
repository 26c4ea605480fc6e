// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <map>
#include <optional>

#include "berth/lxcfs.h"
#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/live/cgroup_id.h"
#include "engine/live/lxcfs_places.h"
#include "os/directory_list.h"
#include "os/file.h"
#include "os/mountinfo.h"
#include "os/process.h"

namespace berth {
namespace {

constexpr size_t kMaxFile = 64UL << 10;

struct Candidate {
  pid_t pid = 0;
  bool is_first = false;  // of a pid namespace below ours
  uint64_t start_time = 0;
  // The one that stands for its mount namespace.
  bool stands_before(const Candidate& other) const {
    if (is_first != other.is_first) return is_first;
    return start_time != other.start_time ? start_time < other.start_time : pid < other.pid;
  }
};

std::string text_of(pid_t pid, std::string_view file) {
  const std::string path = formatted("/proc/{}/{}", pid, file);
  return os::read_file_at(AT_FDCWD, path.c_str(), kMaxFile).value_or("");
}

// 0: there is no such process, or it shows it to nobody.
ino_t mount_namespace_of(std::string_view process) {
  struct stat status;
  const std::string path = formatted("/proc/{}/ns/mnt", process);
  return ::stat(path.c_str(), &status) == 0 ? status.st_ino : 0;
}

// NSpid: its pid in each pid namespace, ours first.
bool is_first(std::string_view status) {
  constexpr std::string_view kName = "\nNSpid:";
  const size_t start = status.find(kName);
  if (start == status.npos) return false;
  const size_t end = std::min(status.find('\n', start + 1), status.size());
  const std::string_view pids = status.substr(start + kName.size(), end - start - kName.size());
  return pids.ends_with("\t1") && pids.find('\t') != pids.rfind('\t');
}

Result<std::map<ino_t, Candidate>> first_processes() {
  const ino_t own = mount_namespace_of("self");
  const os::DirectoryList list(::opendir("/proc"));
  if (list == nullptr) return system_error(errno, "read /proc");
  std::map<ino_t, Candidate> found;
  while (const dirent* const entry = ::readdir(list.get())) {
    const std::string_view name(entry->d_name);
    Candidate process;
    if (std::from_chars(name.data(), name.data() + name.size(), process.pid).ec != std::errc())
      continue;
    const ino_t space = mount_namespace_of(name);
    if (space == 0 || space == own) continue;
    const std::optional<uint64_t> start = os::start_time(process.pid);
    if (!start) continue;
    process.start_time = *start;
    process.is_first = is_first(text_of(process.pid, "status"));
    const auto [there, is_new] = found.emplace(space, process);
    if (!is_new && process.stands_before(there->second)) there->second = process;
  }
  return found;
}

bool has_lxcfs_files(pid_t pid) {
  const Result<std::vector<os::MountEntry>> mounts = os::mounts_of(formatted("{}", pid));
  return mounts && engine::has_lxcfs_files(*mounts);
}

}  // namespace

Result<std::vector<RunningContainer>> own_containers(const std::string& state_root) {
  std::vector<RunningContainer> containers;
  for (const std::string& id : TRY(engine::list_ids(state_root))) {
    const Result<engine::StateDir> directory = engine::StateDir::open(state_root, id);
    if (!directory) continue;
    const auto saved = directory->read_without_annotations();
    if (saved && engine::is_alive(saved->record))
      containers.push_back({.id = id, .pid = saved->record.pid, .state_root = state_root});
  }
  return containers;
}

Result<std::vector<RunningContainer>> find_containers() {
  std::vector<RunningContainer> containers;
  for (const auto& [space, process] : TRY(first_processes())) {
    const std::string id = engine::id_in_cgroups(text_of(process.pid, "cgroup"));
    if (process.is_first || !id.empty() || has_lxcfs_files(process.pid))
      containers.push_back({.id = id, .pid = process.pid});
  }
  std::ranges::sort(containers, {}, &RunningContainer::pid);
  return containers;
}

}  // namespace berth
