// SPDX-License-Identifier: Apache-2.0
#include "core/nearest.h"

#include <gtest/gtest.h>

#include <string>

namespace berth {
namespace {

constexpr std::string_view kWords[] = {"hostname", "mounts", "process", "root", "cwd"};

TEST(Nearest, FindsWhatWasMeant) {
  EXPECT_EQ(nearest("hostnane", kWords), "hostname");
  EXPECT_EQ(nearest("HostName", kWords), "hostname");
  EXPECT_EQ(nearest("mount", kWords), "mounts");
  EXPECT_EQ(nearest("porcess", kWords), "process");
  EXPECT_EQ(nearest("cdw", kWords), "cwd");
  EXPECT_EQ(nearest("rroot", kWords), "root");
}

TEST(Nearest, IsNoneWhenNoneIsNear) {
  EXPECT_EQ(nearest("environment", kWords), "");
  EXPECT_EQ(nearest("", kWords), "");
  EXPECT_EQ(nearest("mounts", {}), "");
  EXPECT_EQ(nearest(std::string(100000, 'a'), kWords), "");
}

}  // namespace
}  // namespace berth
