// SPDX-License-Identifier: Apache-2.0
#pragma once

// What the processes that change the mounts of a running container share. 0 or -errno.
namespace berth::init {

// Into the mount namespace of a process. The working directory is that of our own descriptors then,
// in the /proc that was seen before: a container's may be anything.
int enter_mounts(int pidfd);
// After that. Lazily, with what lies on it.
int detach_mount(int mount);
// STATX_MNT_ID. Asks the filesystem nothing: it may be dead.
int id_of_mount(int file);

}  // namespace berth::init
