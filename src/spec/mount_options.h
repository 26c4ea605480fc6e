// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

// The words of mounts[].options (config-linux.md, "Linux mount options"): one table for the
// planner, `features` and lint.
namespace berth::spec {

enum class MountOptionKind {
  NoEffect,  // a word of mount(8) that asks for what is so anyway
  Bind,      // bits: MS_BIND, with MS_REC for rbind
  Remount,
  Propagation,         // bits: MS_SHARED and so on, with MS_REC
  Attribute,           // of the mount: set and clear
  RecursiveAttribute,  // the same of all mounts below it
  Superblock,          // handed to the filesystem; nothing to a bind
  Extension,           // of ours and of peers: see ExtensionOption
};

enum class ExtensionOption {
  TmpCopyUp,
  IdMap,
  RecursiveIdMap,
  CopySymlink,
  NoFollowSource,
  NoFollowTarget,
  NoFail
};

struct MountOption {
  std::string_view name;
  MountOptionKind kind = MountOptionKind::NoEffect;
  uint64_t set = 0;    // MOUNT_ATTR_*, or the bits of Bind and Propagation, or an ExtensionOption
  uint64_t clear = 0;  // MOUNT_ATTR_*
};

// Sorted by name.
std::span<const MountOption> mount_options();
// nullptr: a word for the filesystem itself.
const MountOption* find_mount_option(std::string_view name);

}  // namespace berth::spec
