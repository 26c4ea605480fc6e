// SPDX-License-Identifier: Apache-2.0
#include "spec/mount_options.h"

#include <sys/mount.h>

#include <algorithm>

namespace berth::spec {
namespace {

using enum MountOptionKind;

constexpr uint64_t kAtime = MOUNT_ATTR__ATIME;
constexpr uint64_t kReadonly = MOUNT_ATTR_RDONLY;
constexpr uint64_t kNoSuid = MOUNT_ATTR_NOSUID;
constexpr uint64_t kNoDev = MOUNT_ATTR_NODEV;
constexpr uint64_t kNoExec = MOUNT_ATTR_NOEXEC;
constexpr uint64_t kNoAtime = MOUNT_ATTR_NOATIME;
constexpr uint64_t kStrictAtime = MOUNT_ATTR_STRICTATIME;
constexpr uint64_t kNoDirAtime = MOUNT_ATTR_NODIRATIME;
constexpr uint64_t kNoSymlinks = MOUNT_ATTR_NOSYMFOLLOW;
constexpr uint64_t kRecursive = MS_REC;

constexpr uint64_t extension(ExtensionOption option) { return static_cast<uint64_t>(option); }

// The access time is one field of three values: it is cleared as a whole.
constexpr MountOption kOptions[] = {
    {"async", Superblock},
    {"atime", Attribute, 0, kAtime},
    {"bind", Bind, MS_BIND},
    {"copy-symlink", Extension, extension(ExtensionOption::CopySymlink)},
    {"defaults", NoEffect},
    {"dest-nofollow", Extension, extension(ExtensionOption::NoFollowTarget)},
    {"dev", Attribute, 0, kNoDev},
    {"diratime", Attribute, 0, kNoDirAtime},
    {"dirsync", Superblock},
    {"exec", Attribute, 0, kNoExec},
    {"idmap", Extension, extension(ExtensionOption::IdMap)},
    {"iversion", NoEffect},
    {"lazytime", Superblock},
    {"loud", NoEffect},
    {"mand", Superblock},
    {"noatime", Attribute, kNoAtime, kAtime},
    {"nodev", Attribute, kNoDev},
    {"nodiratime", Attribute, kNoDirAtime},
    {"noexec", Attribute, kNoExec},
    {"nofail", Extension, extension(ExtensionOption::NoFail)},
    {"noiversion", NoEffect},
    {"nolazytime", Superblock},
    {"nomand", Superblock},
    {"norelatime", NoEffect},
    {"nostrictatime", Attribute, 0, kAtime},
    {"nosuid", Attribute, kNoSuid},
    {"nosymfollow", Attribute, kNoSymlinks},
    {"private", Propagation, MS_PRIVATE},
    {"ratime", RecursiveAttribute, 0, kAtime},
    {"rbind", Bind, MS_BIND | kRecursive},
    {"rdev", RecursiveAttribute, 0, kNoDev},
    {"rdiratime", RecursiveAttribute, 0, kNoDirAtime},
    {"relatime", Attribute, 0, kAtime},
    {"remount", Remount},
    {"rexec", RecursiveAttribute, 0, kNoExec},
    {"ridmap", Extension, extension(ExtensionOption::RecursiveIdMap)},
    {"rnoatime", RecursiveAttribute, kNoAtime, kAtime},
    {"rnodev", RecursiveAttribute, kNoDev},
    {"rnodiratime", RecursiveAttribute, kNoDirAtime},
    {"rnoexec", RecursiveAttribute, kNoExec},
    {"rnorelatime", NoEffect},
    {"rnostrictatime", RecursiveAttribute, 0, kAtime},
    {"rnosuid", RecursiveAttribute, kNoSuid},
    {"rnosymfollow", RecursiveAttribute, kNoSymlinks},
    {"ro", Attribute, kReadonly},
    {"rprivate", Propagation, MS_PRIVATE | kRecursive},
    {"rrelatime", RecursiveAttribute, 0, kAtime},
    {"rro", RecursiveAttribute, kReadonly},
    {"rrw", RecursiveAttribute, 0, kReadonly},
    {"rshared", Propagation, MS_SHARED | kRecursive},
    {"rslave", Propagation, MS_SLAVE | kRecursive},
    {"rstrictatime", RecursiveAttribute, kStrictAtime, kAtime},
    {"rsuid", RecursiveAttribute, 0, kNoSuid},
    {"rsymfollow", RecursiveAttribute, 0, kNoSymlinks},
    {"runbindable", Propagation, MS_UNBINDABLE | kRecursive},
    {"rw", Attribute, 0, kReadonly},
    {"shared", Propagation, MS_SHARED},
    {"silent", NoEffect},
    {"slave", Propagation, MS_SLAVE},
    {"src-nofollow", Extension, extension(ExtensionOption::NoFollowSource)},
    {"strictatime", Attribute, kStrictAtime, kAtime},
    {"suid", Attribute, 0, kNoSuid},
    {"symfollow", Attribute, 0, kNoSymlinks},
    {"sync", Superblock},
    {"tmpcopyup", Extension, extension(ExtensionOption::TmpCopyUp)},
    {"unbindable", Propagation, MS_UNBINDABLE},
};

static_assert(std::ranges::is_sorted(kOptions, {}, &MountOption::name), "searched by halves");

}  // namespace

std::span<const MountOption> mount_options() { return kOptions; }

const MountOption* find_mount_option(std::string_view name) {
  const auto found = std::ranges::lower_bound(kOptions, name, {}, &MountOption::name);
  return found != std::end(kOptions) && found->name == name ? found : nullptr;
}

}  // namespace berth::spec
