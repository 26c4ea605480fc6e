// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

namespace berth::init {

// Writes "HOME=DIR" with the home directory of uid in the container's /etc/passwd, or "HOME=/". The
// file belongs to the image: only a regular file is read, at most 1 MiB of it, and it never blocks.
// slot has room for PATH_MAX + 6.
void read_home(uid_t uid, char* slot);

}  // namespace berth::init
