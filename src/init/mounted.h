// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the processes that change the mounts of a running container share. 0 or -errno.
namespace berth::init {

// The directory of the caller's own descriptors, in the /proc that it has before it goes anywhere:
// a container's may be anything.
int open_descriptors();
// Into the mount namespace of a process. The working directory is that of the descriptors then.
int enter_mounts(int pidfd, int descriptors);
// After that. Lazily, with what lies on it.
int detach_mount(int mount);
// STATX_MNT_ID. Asks the filesystem nothing: it may be dead.
int id_of_mount(int file);

}  // namespace berth::init
