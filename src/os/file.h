// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "berth/error.h"
#include "os/fd.h"

namespace berth::os {

// Opens with O_CLOEXEC added.
Result<UniqueFd> open_at(int directory, const char* path, int flags, mode_t mode = 0);

// Only a regular file (or one of a kernel filesystem), at most limit bytes, never blocking.
Result<std::string> read_file_at(int directory, const char* path, size_t limit);
// A small file of procfs or sysfs that is made in one piece: at most a page of it, in one read.
Result<std::string> read_kernel_file(const char* path);
// Writes to an existing file with one write(2): knobs of the kernel.
Result<> write_file_at(int directory, const char* path, std::string_view text);
Result<> write_all(int fd, std::string_view text);
// A new file, left open for writing: AlreadyExists when it is there.
Result<UniqueFd> create_file_at(int directory, const char* path, std::string_view text,
                                mode_t mode);
// Readers see the old text or the new one, whenever they look.
Result<> replace_file_at(int directory, const char* path, std::string_view text, mode_t mode);

}  // namespace berth::os
