// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <dirent.h>

#include <memory>

namespace berth::os {

struct CloseDirectory {
  void operator()(DIR* directory) const { ::closedir(directory); }
};

// What opendir(3) or fdopendir(3) has given, for readdir(3).
using DirectoryList = std::unique_ptr<DIR, CloseDirectory>;

}  // namespace berth::os
