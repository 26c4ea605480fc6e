// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "json/value.h"

namespace berth::json {
namespace {

constexpr std::string_view kText = R"({
  "a": [1, "x,]", {"b": true}],
  "a/b~c": {"\u00e9\ud83d\ude00\"\n": null},
  "": [[], {}, [[ 5 ]]]
})";

struct Row {
  std::string_view pointer;
  int line;
  int column;
};

TEST(Locate, FindsValues) {
  for (const Row& row :
       {Row{"", 1, 1}, Row{"/a", 2, 8}, Row{"/a/0", 2, 9}, Row{"/a/1", 2, 12}, Row{"/a/2", 2, 19},
        Row{"/a/2/b", 2, 25}, Row{"/a~1b~0c", 3, 12}, Row{"/a~1b~0c/é😀\"\n", 3, 39},
        Row{"/", 4, 7}, Row{"//1", 4, 12}, Row{"//2/0/0", 4, 19}}) {
    const Position place = locate(kText, row.pointer);
    EXPECT_EQ(place.line, row.line) << row.pointer;
    EXPECT_EQ(place.column, row.column) << row.pointer;
  }
}

TEST(Locate, AnswersZeroForWhatIsNotThere) {
  for (const char* pointer :
       {"a", "/b", "/a/3", "/a/x", "/a/0/0", "/a/2/c", "/a/", "//0/0", "//1/x"}) {
    EXPECT_EQ(locate(kText, pointer).line, 0) << pointer;
  }
}

TEST(Locate, StaysWithinBrokenText) {
  for (size_t size = 0; size < kText.size(); ++size) {
    for (const char* pointer : {"/a/2/b", "//2/0/0", "/a~1b~0c/x", "/zzz"})
      (void)locate(kText.substr(0, size), pointer);
  }
  for (const char* text :
       {"\"\\", "{\"\\u", "{\"\\ud83d", "[[[[", "}}}}", "]", "{\"a\"", "{\"a\":"}) {
    (void)locate(text, "/a");
    (void)locate(text, "/0");
  }
}

}  // namespace
}  // namespace berth::json
