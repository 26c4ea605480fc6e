// SPDX-License-Identifier: Apache-2.0
#include "cgroup/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "berth/try.h"
#include "cgroup/directory.h"
#include "core/context.h"
#include "os/file.h"
#include "os/mountinfo.h"

namespace berth::cgroup {
namespace {

constexpr const char* kMount = "/sys/fs/cgroup";

std::vector<std::string> split_at(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    if (end == text.size()) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_filesystem(const std::string& path, long magic) {
  struct statfs filesystem;
  return ::statfs(path.c_str(), &filesystem) == 0 && filesystem.f_type == magic;
}

// Reading mountinfo is dear (performance.md): only when what is expected is not there.
class Mounts {
 public:
  Result<const os::MountEntry*> find(const Membership& membership) {
    if (!read_) {
      mounts_ = TRY(os::mounts_of("self"));
      read_ = true;
    }
    for (const os::MountEntry& mount : mounts_) {
      if (matches(mount, membership)) return &mount;
    }
    return nullptr;
  }

 private:
  static bool matches(const os::MountEntry& mount, const Membership& membership) {
    if (membership.controllers.empty())
      return mount.type == "cgroup2" && mount.place.starts_with(kMount);
    const std::vector<std::string> options = split_at(mount.options, ',');
    return mount.type == "cgroup" &&
           std::ranges::find(options, membership.controllers.front()) != options.end();
  }

  bool read_ = false;
  std::vector<os::MountEntry> mounts_ = {};
};

std::string expected_mountpoint(const Membership& membership) {
  std::string name;
  for (const std::string& controller : membership.controllers)
    name += (name.empty() ? "" : ",") + controller;
  if (name.starts_with("name=")) name.erase(0, 5);
  return std::string(kMount) + "/" + name;
}

bool leads_up(std::string_view path) { return path == "/.." || path.starts_with("/../"); }

// The path of /proc/self/cgroup is from the hierarchy's root, the mount may show less (a container
// without a cgroup namespace) or the process may be outside (..).
Result<std::string> own_path(const Membership& membership, const std::string& mountpoint,
                             Mounts& mounts) {
  if (membership.path == "/") return membership.path;
  if (leads_up(membership.path)) return std::string("/");
  if (::access((mountpoint + membership.path).c_str(), F_OK) == 0) return membership.path;
  const os::MountEntry* mount = TRY(mounts.find(membership));
  return mount ? below_root(membership.path, mount->root) : std::string("/");
}

Result<> add_v1(const Membership& membership, Mounts& mounts, plan::HostFacts& facts) {
  std::string mountpoint = expected_mountpoint(membership);
  if (!is_filesystem(mountpoint, CGROUP_SUPER_MAGIC)) {
    const os::MountEntry* mount = TRY(mounts.find(membership));
    if (!mount) return {};  // the kernel has it, this mount namespace does not
    mountpoint = mount->place;
  }
  std::string path = TRY(own_path(membership, mountpoint, mounts));
  facts.hierarchies.push_back(
      {membership.controllers, std::move(mountpoint), std::move(path), false});
  return {};
}

Result<> add_unified(const Membership& membership, const std::string& mountpoint, Mounts& mounts,
                     plan::HostFacts& facts) {
  std::string path = TRY(own_path(membership, mountpoint, mounts));
  facts.hierarchies.push_back({{}, mountpoint, std::move(path), true});
  return {};
}

}  // namespace

std::vector<Membership> parse_memberships(std::string_view text) {
  std::vector<Membership> found;
  for (const std::string& line : split_at(text, '\n')) {
    const size_t first = line.find(':');
    const size_t second = line.find(':', first + 1);
    if (first == line.npos || second == line.npos) continue;
    Membership membership;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    if (!controllers.empty()) membership.controllers = split_at(controllers, ',');
    membership.path = line.substr(second + 1);
    found.push_back(std::move(membership));
  }
  return found;
}

std::string below_root(std::string_view own, std::string_view root) {
  if (root == "/" || leads_up(root)) return std::string(own);
  if (!own.starts_with(root)) return "/";
  own.remove_prefix(root.size());
  if (own.empty()) return "/";
  return own.front() == '/' ? std::string(own) : "/";
}

Result<> gather_layout(plan::HostFacts& facts) {
  facts.hierarchies.clear();
  facts.cgroup_layout = plan::CgroupLayout::None;
  Result<std::string> text = read_control(AT_FDCWD, "/proc/self/cgroup");
  if (!text && is_missing(text.error())) return {};  // a kernel without cgroups
  const std::vector<Membership> memberships = parse_memberships(TRY(std::move(text)));
  const bool v2 = is_filesystem(kMount, CGROUP2_SUPER_MAGIC);
  const std::string unified = v2 ? kMount : formatted("{}/unified", kMount);
  Mounts mounts;
  for (const Membership& membership : memberships) {
    if (!membership.controllers.empty() && !v2) {
      TRY(add_v1(membership, mounts, facts));
    } else if (membership.controllers.empty() &&
               (v2 || is_filesystem(unified, CGROUP2_SUPER_MAGIC))) {
      TRY(add_unified(membership, unified, mounts, facts));
    }
  }
  if (facts.hierarchies.empty()) return {};
  const bool has_unified = std::ranges::any_of(facts.hierarchies, &plan::CgroupHierarchy::is_v2);
  facts.cgroup_layout = v2            ? plan::CgroupLayout::V2
                        : has_unified ? plan::CgroupLayout::Hybrid
                                      : plan::CgroupLayout::V1;
  return {};
}

}  // namespace berth::cgroup
