// SPDX-License-Identifier: Apache-2.0
#include "cgroup/delegate.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "berth/try.h"
#include "cgroup/writes.h"
#include "core/context.h"
#include "os/file.h"

namespace berth::cgroup {

Result<> delegate_directory(const Directory& directory, uid_t owner) {
  const int fd = TRY(directory.fd());
  constexpr auto kKeepGroup = static_cast<gid_t>(-1);
  if (::fchown(fd, owner, kKeepGroup)) {
    // An ordinary user gives nothing to an id that is lent to them: what is their own stays so.
    if (errno == EPERM && ::geteuid() != 0) return {};
    return system_error(errno, "chown cgroup {}", directory.full_path());
  }
  Result<std::string> listed = os::read_file_at(AT_FDCWD, "/sys/kernel/cgroup/delegate", 65536);
  std::string text =
      listed ? *std::move(listed) : "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
  for (char& character : text) {
    if (character == '\n') character = '/';
  }
  for (const std::string& file : split_path(text)) {
    if (::fchownat(fd, file.c_str(), owner, kKeepGroup, AT_SYMLINK_NOFOLLOW) && errno != ENOENT) {
      return system_error(errno, "chown {}/{}", directory.full_path(), file);
    }
  }
  return {};
}

}  // namespace berth::cgroup
