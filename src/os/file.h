// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "berth/error.h"

namespace berth::os {

// The whole of a small file below a directory descriptor; longer than `limit` is an error.
Result<std::string> read_file_at(int dirfd, const char* path, size_t limit);
// One write(2) of the whole text, as the files of procfs and cgroupfs want it. The file must exist.
Result<> write_file_at(int dirfd, const char* path, std::string_view text);

}  // namespace berth::os
