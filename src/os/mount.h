// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/mount.h>

#include <cstdint>

// The descriptor-based mount API (Linux 5.2; mount_setattr 5.12). A detached mount dies with its
// descriptor. Everything here is usable after clone and returns a descriptor, 0 or -errno.
namespace berth::os {

int open_filesystem(const char* type);                     // fsopen
int set_filesystem_flag(int filesystem, const char* key);  // fsconfig
int set_filesystem_string(int filesystem, const char* key, const char* value);
int mount_filesystem(int filesystem, uint64_t attributes);  // FSCONFIG_CMD_CREATE and fsmount

// A copy of the mount at a path (with those below it when recursive), or an O_PATH descriptor's.
int clone_mount(int directory, const char* path, bool recursive, bool nofollow = false);
int attach_mount(int mount, int target);  // move_mount by two descriptors
// On an entry of a directory that is our own; a link there is not followed.
int attach_mount_at(int mount, int directory, const char* name);

// mount_setattr. -ENOSYS on Linux below 5.12: attach first, then remount_attributes.
int set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive);
// The way of older kernels: MS_REMOUNT|MS_BIND through /proc/self/fd; the mount must be attached
// and /proc be the host's. Flags in neither set stay as they are.
int remount_attributes(int mount, uint64_t set, uint64_t clear);
// MOUNT_ATTR_IDMAP: files get the ids of a user namespace. Only before the mount is attached.
int set_id_map(int mount, int user_namespace, bool recursive);
// MS_SHARED and so on, with MS_REC.
int set_propagation(int mount, unsigned long flags);

int pivot_root_here();  // the working directory becomes the root, what was below is detached

}  // namespace berth::os
