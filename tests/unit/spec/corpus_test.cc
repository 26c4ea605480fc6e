// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <filesystem>

#include "../../fuzz/check_config.h"
#include "examples.h"

namespace berth::spec {
namespace {

TEST(Corpus, OfConfigsHolds) {
  size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(BERTH_SOURCE_DIR "/tests/fuzz/corpus/config")) {
    EXPECT_TRUE(config_holds(file_text(entry.path()))) << entry.path();
    ++files;
  }
  EXPECT_GE(files, 10U);
}

}  // namespace
}  // namespace berth::spec
