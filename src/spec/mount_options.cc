// SPDX-License-Identifier: Apache-2.0
#include "spec/mount_options.h"

#include <sys/mount.h>

#include <algorithm>

namespace berth::spec {
namespace {

using enum MountOptionKind;

constexpr uint64_t kAtime = MOUNT_ATTR__ATIME;

constexpr MountOption kOptions[] = {
    {"async", Flag, 0, MS_SYNCHRONOUS},
    {"atime", Flag, 0, MS_NOATIME},
    {"bind", Bind, MS_BIND},
    {"copy-symlink", CopySymlink},
    {"defaults", Flag},
    {"dest-nofollow", DestinationNoFollow},
    {"dev", Flag, 0, MS_NODEV},
    {"diratime", Flag, 0, MS_NODIRATIME},
    {"dirsync", Flag, MS_DIRSYNC},
    {"exec", Flag, 0, MS_NOEXEC},
    {"idmap", IdMap},
    {"iversion", Flag, MS_I_VERSION},
    {"lazytime", Flag, MS_LAZYTIME},
    {"loud", Flag, 0, MS_SILENT},
    {"mand", Flag, MS_MANDLOCK},
    {"noatime", Flag, MS_NOATIME, MS_RELATIME | MS_STRICTATIME},
    {"nodev", Flag, MS_NODEV},
    {"nodiratime", Flag, MS_NODIRATIME},
    {"noexec", Flag, MS_NOEXEC},
    {"nofail", NoFail},
    {"noiversion", Flag, 0, MS_I_VERSION},
    {"nolazytime", Flag, 0, MS_LAZYTIME},
    {"nomand", Flag, 0, MS_MANDLOCK},
    {"norelatime", Flag, 0, MS_RELATIME},
    {"nostrictatime", Flag, 0, MS_STRICTATIME},
    {"nosuid", Flag, MS_NOSUID},
    {"nosymfollow", Flag, MS_NOSYMFOLLOW},
    {"private", Propagation, MS_PRIVATE},
    {"rasync", Flag, 0, MS_SYNCHRONOUS},
    {"ratime", RecursiveAttribute, 0, kAtime},
    {"rbind", Bind, MS_BIND | MS_REC},
    {"rdev", RecursiveAttribute, 0, MOUNT_ATTR_NODEV},
    {"rdiratime", RecursiveAttribute, 0, MOUNT_ATTR_NODIRATIME},
    {"rdirsync", Flag, MS_DIRSYNC},
    {"relatime", Flag, MS_RELATIME, MS_NOATIME | MS_STRICTATIME},
    {"remount", Remount, MS_REMOUNT},
    {"rexec", RecursiveAttribute, 0, MOUNT_ATTR_NOEXEC},
    {"ridmap", IdMap, MS_REC},
    {"rmand", Flag, MS_MANDLOCK},
    {"rnoatime", RecursiveAttribute, MOUNT_ATTR_NOATIME, kAtime},
    {"rnodev", RecursiveAttribute, MOUNT_ATTR_NODEV},
    {"rnodiratime", RecursiveAttribute, MOUNT_ATTR_NODIRATIME},
    {"rnoexec", RecursiveAttribute, MOUNT_ATTR_NOEXEC},
    {"rnomand", Flag, 0, MS_MANDLOCK},
    {"rnorelatime", RecursiveAttribute, 0, kAtime},
    {"rnostrictatime", RecursiveAttribute, 0, kAtime},
    {"rnosuid", RecursiveAttribute, MOUNT_ATTR_NOSUID},
    {"rnosymfollow", RecursiveAttribute, MOUNT_ATTR_NOSYMFOLLOW},
    {"ro", Flag, MS_RDONLY},
    {"rprivate", Propagation, MS_PRIVATE | MS_REC},
    {"rrelatime", RecursiveAttribute, MOUNT_ATTR_RELATIME, kAtime},
    {"rro", RecursiveAttribute, MOUNT_ATTR_RDONLY},
    {"rrw", RecursiveAttribute, 0, MOUNT_ATTR_RDONLY},
    {"rshared", Propagation, MS_SHARED | MS_REC},
    {"rslave", Propagation, MS_SLAVE | MS_REC},
    {"rstrictatime", RecursiveAttribute, MOUNT_ATTR_STRICTATIME, kAtime},
    {"rsuid", RecursiveAttribute, 0, MOUNT_ATTR_NOSUID},
    {"rsymfollow", RecursiveAttribute, 0, MOUNT_ATTR_NOSYMFOLLOW},
    {"rsync", Flag, MS_SYNCHRONOUS},
    {"runbindable", Propagation, MS_UNBINDABLE | MS_REC},
    {"rw", Flag, 0, MS_RDONLY},
    {"shared", Propagation, MS_SHARED},
    {"silent", Flag, MS_SILENT},
    {"slave", Propagation, MS_SLAVE},
    {"src-nofollow", SourceNoFollow},
    {"strictatime", Flag, MS_STRICTATIME, MS_NOATIME | MS_RELATIME},
    {"suid", Flag, 0, MS_NOSUID},
    {"symfollow", Flag, 0, MS_NOSYMFOLLOW},
    {"sync", Flag, MS_SYNCHRONOUS},
    {"tmpcopyup", CopyUp},
    {"unbindable", Propagation, MS_UNBINDABLE},
};
static_assert(std::ranges::is_sorted(kOptions, {}, &MountOption::name));

struct Attribute {
  uint64_t flag;
  uint64_t attribute;
};
constexpr Attribute kAttributes[] = {
    {MS_RDONLY, MOUNT_ATTR_RDONLY},         {MS_NOSUID, MOUNT_ATTR_NOSUID},
    {MS_NODEV, MOUNT_ATTR_NODEV},           {MS_NOEXEC, MOUNT_ATTR_NOEXEC},
    {MS_NOATIME, MOUNT_ATTR_NOATIME},       {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME},
    {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME}, {MS_NOSYMFOLLOW, MOUNT_ATTR_NOSYMFOLLOW},
};

}  // namespace

std::span<const MountOption> mount_options() { return kOptions; }

const MountOption* find_mount_option(std::string_view name) {
  const auto* option = std::ranges::lower_bound(kOptions, name, {}, &MountOption::name);
  return option != std::end(kOptions) && option->name == name ? option : nullptr;
}

uint64_t mount_attributes(uint64_t ms_flags) {
  uint64_t attributes = 0;
  for (const auto& [flag, attribute] : kAttributes) {
    if ((ms_flags & flag) != 0) attributes |= attribute;
  }
  return attributes;
}

}  // namespace berth::spec
