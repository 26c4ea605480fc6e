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
int make_filesystem_readonly(int filesystem);               // after that: all mounts of it
// fspick: the filesystem of an attached mount, for the options above; what is not named stays.
int pick_filesystem(int mount);
int reconfigure_filesystem(int filesystem);  // FSCONFIG_CMD_RECONFIGURE: the options take effect

// A copy of the mount at a path (with those below it when recursive), or an O_PATH descriptor's.
int clone_mount(int directory, const char* path, bool recursive, bool nofollow = false);
// The same, read-only with all that is below it: in one call from Linux 6.15 on (open_tree_attr).
// -ENOSYS where that is not known.
int clone_readonly(int directory, const char* path);
int attach_mount(int mount, int target);  // move_mount by two descriptors
// Under the mount whose root target is, so that nothing is missing meanwhile (Linux 6.5).
int attach_beneath(int mount, int target);
// On an entry of a directory that is our own; a link there is not followed.
int attach_mount_at(int mount, int directory, const char* name);

// mount(2), all in one call, on an entry of the working directory ("." is the directory itself).
// data: options as mount(8) has them after -o, less the attributes. It says only that something is
// wrong, not what: the calls above do.
int mount_here(const char* source, const char* name, const char* type, uint64_t attributes,
               const char* data);

// mount_setattr. -ENOSYS on Linux below 5.12: attach first, then remount_attributes.
int set_attributes(int mount, uint64_t set, uint64_t clear, bool recursive);
// The same of one mount, which gets nothing of others from then on and gives nothing: in one call.
int make_private(int mount, uint64_t set);
// The way of older kernels: MS_REMOUNT|MS_BIND. The mount must be attached, becomes the working
// directory, and if it is a file /proc must be there. Flags in neither set stay as they are.
int remount_attributes(int mount, uint64_t set, uint64_t clear);
// Of an attached mount, one way or the other.
int set_attached_attributes(int mount, uint64_t set, uint64_t clear);
// MOUNT_ATTR_IDMAP: files get the ids of a user namespace. Only before the mount is attached.
int set_id_map(int mount, int user_namespace, bool recursive);
// MS_SHARED and so on, with MS_REC. On Linux below 5.12 as remount_attributes.
int set_propagation(int mount, unsigned long flags);

int detach_working_directory();  // the mount that it is in; it becomes /
int pivot_root_here();  // the working directory becomes the root, what was below is detached

}  // namespace berth::os
