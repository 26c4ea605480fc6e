// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdio>
#include <string>

namespace berth::spec {

inline std::string file_text(const std::string& path) {
  std::string text;
  FILE* file = std::fopen(path.c_str(), "re");
  if (file == nullptr) {
    ADD_FAILURE() << "cannot open " << path;
    return text;
  }
  char buffer[4096];
  for (size_t size; (size = std::fread(buffer, 1, sizeof buffer, file)) > 0;)
    text.append(buffer, size);
  std::fclose(file);
  return text;
}

// Every field of runtime-spec 1.3.0.
inline std::string full_config() {
  return file_text(BERTH_SOURCE_DIR "/tests/unit/spec/full_config.json");
}

}  // namespace berth::spec
