// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

TEST(PlanTools, AnEmptyDirectoryComesBeforeWhatIsCovered) {
  const std::vector<ToolPlace> places = plan_tool_places("");
  ASSERT_GE(places.size(), 2u);
  EXPECT_TRUE(places.front().if_empty);
  EXPECT_FALSE(places.back().if_empty);  // there is always one
  for (const ToolPlace& place : places) EXPECT_FALSE(place.path.starts_with('/'));
}

TEST(PlanTools, PlaceThatIsNamedIsTakenAsItIs) {
  const std::vector<ToolPlace> places = plan_tool_places("//a/b");
  ASSERT_EQ(places.size(), 1u);
  EXPECT_EQ(places[0].path, "a/b");
  EXPECT_FALSE(places[0].if_empty);
}

}  // namespace
}  // namespace berth::plan
