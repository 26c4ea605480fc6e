// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace berth::spec {

enum class MountOptionKind : unsigned char {
  Flag,                 // set and clear: MS_* of this mount or its filesystem
  RecursiveAttribute,   // set and clear: MOUNT_ATTR_* of the whole tree
  Propagation,          // set: MS_PRIVATE, ... with MS_REC for the r-forms
  Bind,                 // set: MS_BIND, with MS_REC for rbind
  Remount,              // change the mount that is there
  CopyUp,               // a tmpfs that starts with what it covers
  IdMap,                // set: MS_REC for ridmap
  CopySymlink,          // a symlink as source is made anew, not followed
  SourceNoFollow,       // do not follow a symlink as source
  DestinationNoFollow,  // do not follow a symlink as destination
  NoFail,               // go on without the mount when it fails
};

struct MountOption {
  std::string_view name;
  MountOptionKind kind;
  uint64_t set = 0;
  uint64_t clear = 0;
};

// Every option with a meaning of its own, sorted by name; any other is data for the filesystem.
std::span<const MountOption> mount_options();
const MountOption* find_mount_option(std::string_view name);

// MS_RDONLY, MS_NOSUID, ... as MOUNT_ATTR_*; flags of the filesystem (MS_SYNCHRONOUS, ...) have
// none and are left out.
uint64_t mount_attributes(uint64_t ms_flags);

}  // namespace berth::spec
