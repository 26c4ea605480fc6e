// SPDX-License-Identifier: Apache-2.0
// What concerns a directory with all that is below it: containers make cgroups of their own in
// theirs.
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <unistd.h>

#include <charconv>

#include "berth/try.h"
#include "cgroup/directory.h"
#include "core/context.h"
#include "os/directory_list.h"
#include "os/file.h"
#include "os/path.h"

namespace berth::cgroup {
namespace {

constexpr size_t kProcessListLimit = 64 << 20;

// kernfs counts a link for each subdirectory: most cgroups need not be listed at all.
bool has_children(int directory) {
  struct stat status;
  return ::fstat(directory, &status) != 0 || status.st_nlink != 2;
}

Result<> list_children(os::UniqueFd directory, const std::string& path,
                       std::vector<std::string>& found) {
  os::DirectoryList listing(::fdopendir(directory.get()));
  if (!listing) return system_error(errno, "list cgroup {}", path);
  (void)directory.release();
  for (;;) {
    errno = 0;
    const dirent* entry = ::readdir(listing.get());
    if (!entry && errno == ENOENT) return {};  // removed meanwhile
    if (!entry && errno) return system_error(errno, "list cgroup {}", path);
    if (!entry) return {};
    const std::string name = entry->d_name;
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    found.push_back(path.empty() ? name : path + "/" + name);
  }
}

void parse_processes(std::string_view text, std::vector<pid_t>& processes) {
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t process = 0;
    const auto [rest, error] = std::from_chars(at, end, process);
    // 0: a process of a pid namespace that is not ours.
    if (error == std::errc() && process > 0) processes.push_back(process);
    at = rest + 1;
  }
}

}  // namespace

Result<std::vector<std::string>> Directory::subtree() const {
  std::vector<std::string> found;
  if (left_out_) return found;
  Result<int> own = fd();
  if (!own && is_missing(own.error())) return found;
  const int top = TRY(std::move(own));
  found.emplace_back();
  for (size_t next = 0; next < found.size(); ++next) {
    const std::string path = found[next];
    const int directory = os::open_resolved(
        top, path.empty() ? "." : path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC,
        RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV);
    if (directory == -ENOENT || directory == -ENODEV) continue;
    os::UniqueFd opened(directory);
    if (directory < 0) return system_error(-directory, "open cgroup {}/{}", full_path(), path);
    if (has_children(directory)) TRY(list_children(std::move(opened), path, found));
  }
  return found;
}

Result<void> Directory::collect_processes(std::vector<pid_t>& processes) const {
  const std::vector<std::string> paths = TRY(subtree());
  for (const std::string& path : paths) {
    const std::string file = path.empty() ? "cgroup.procs" : path + "/cgroup.procs";
    Result<std::string> text = os::read_file_at(own_.get(), file.c_str(), kProcessListLimit);
    // A threaded cgroup says EOPNOTSUPP: its domain lists the processes.
    if (!text && (is_missing(text.error()) || text.error().os_error() == EOPNOTSUPP)) continue;
    parse_processes(TRY(std::move(text)), processes);
  }
  return {};
}

bool Directory::remove_empty() {
  if (left_out_) return true;
  const Result<int> above = parent();
  if (!above) return is_missing(above.error());
  return ::unlinkat(*above, name(), AT_REMOVEDIR) == 0 || errno == ENOENT;
}

Result<> Directory::remove() {
  if (left_out_) return {};
  Result<int> above = parent();
  if (!above && is_missing(above.error())) return {};
  const int holder = TRY(std::move(above));
  if (::unlinkat(holder, name(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  if (errno == EBUSY) {
    const std::vector<std::string> paths = TRY(subtree());
    for (size_t next = paths.size(); next-- > 1;)
      ::unlinkat(own_.get(), paths[next].c_str(), AT_REMOVEDIR);
    if (::unlinkat(holder, name(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  }
  return system_error(errno, "remove cgroup {}", full_path());
}

}  // namespace berth::cgroup
