// SPDX-License-Identifier: Apache-2.0
#include "security/raw_filter.h"

#include <gtest/gtest.h>
#include <linux/seccomp.h>

namespace berth::security {
namespace {

// BPF_RET | BPF_K with SECCOMP_RET_ALLOW: 06 00 00 00 00 00 ff 7f.
constexpr std::string_view kAllow = "BgAAAAAA/38=";

TEST(RawFilter, IsReadAsItIs) {
  const auto code = read_raw_filter(kAllow);
  ASSERT_TRUE(code) << code.error().message();
  ASSERT_EQ(code->size(), 1U);
  EXPECT_EQ((*code)[0].code, BPF_RET | BPF_K);
  EXPECT_EQ((*code)[0].k, SECCOMP_RET_ALLOW);
}

TEST(RawFilter, HasWholeInstructionsOfAnAllowedNumber) {
  std::string longest;  // three instructions are 32 characters
  for (int i = 0; i < BPF_MAXINSNS / 3; ++i) longest += "BgAAAAAA/38GAAAAAAD/fwYAAAAAAP9/";
  longest += kAllow;
  const auto most = read_raw_filter(longest);
  ASSERT_TRUE(most) << most.error().message();
  EXPECT_EQ(most->size(), static_cast<size_t>(BPF_MAXINSNS));
  EXPECT_FALSE(read_raw_filter("BgAAAAAA/38GAAAAAAD/fwYAAAAAAP9/" + longest));
}

TEST(RawFilter, RefusesWhatIsNotBase64) {
  for (const std::string_view text :
       {"", "=", "====", "BgAAAAAA/38", "BgAAAAAA/38==", "BgAAAAAA 38=", "BgAAAAAA/3=8", "BgAA",
        "BgAAAAAA/3-=", "BgAAAAAA/38=BgAAAAAA/38="})
    EXPECT_FALSE(read_raw_filter(text)) << text;
}

}  // namespace
}  // namespace berth::security
