// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <limits>

#include "json/value.h"
#include "json/write.h"

namespace berth::json {
namespace {

void write_sample(Writer& writer) {
  writer.begin_object().member("pid", 3).member("name", "a\"b").member("paused", false);
  writer.key("list").begin_array().number(-1).number(UINT64_MAX).real(0.5).null().raw("{}").end();
  writer.key("empty").begin_array().end();
  writer.key("object").begin_object().end();
  writer.key("nested").begin_object().key("a").begin_array().string("x").end().end();
  writer.end();
}

TEST(Writer, IsCompact) {
  Writer writer;
  write_sample(writer);
  EXPECT_EQ(writer.text(),
            R"({"pid":3,"name":"a\"b","paused":false,"list":[-1,18446744073709551615,0.5,null,{}],)"
            R"("empty":[],"object":{},"nested":{"a":["x"]}})");
}

TEST(Writer, WritesWhatWasRead) {
  constexpr std::string_view kText =
      R"({"a":null,"b":[true,false],"c":-9223372036854775808,"d":18446744073709551615,"e":0.5,)"
      R"("f":"\u0001\"","g":{},"h":[],"i":{"a":[[1],{"b":""}]}})";
  const Result<Document> document = parse(kText);
  ASSERT_TRUE(document);
  Writer writer;
  EXPECT_EQ(writer.value(document->root()).text(), kText);
}

TEST(Writer, Indents) {
  Writer writer(2);
  write_sample(writer);
  EXPECT_EQ(writer.text(), R"({
  "pid": 3,
  "name": "a\"b",
  "paused": false,
  "list": [
    -1,
    18446744073709551615,
    0.5,
    null,
    {}
  ],
  "empty": [],
  "object": {},
  "nested": {
    "a": [
      "x"
    ]
  }
})");
}

TEST(Writer, IndentsWithTabs) {
  Writer writer(kTab);
  writer.begin_array().begin_object().member("a", true).end().end();
  EXPECT_EQ(writer.take(), "[\n\t{\n\t\t\"a\": true\n\t}\n]");
}

TEST(Writer, WritesEveryBytesAsValidJson) {
  EXPECT_EQ(quoted("a\"\\/\b\f\n\r\t\x01\x1f\x7f<>&"),
            "\"a\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\x7f<>&\"");
  EXPECT_EQ(quoted("é😀"), "\"é😀\"");
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80",
                          "\xf0\x80\x80\x80", "\x80"}) {
    const std::string text = quoted(bad);
    EXPECT_TRUE(parse(text)) << text;
    EXPECT_NE(text.find("\xEF\xBF\xBD"), std::string::npos);
  }
  EXPECT_EQ(quoted(std::string_view("\0", 1)), "\"\\u0000\"");
}

TEST(Writer, HasNoNumberForNan) {
  Writer writer;
  writer.begin_array().real(std::numeric_limits<double>::quiet_NaN()).real(1e300).end();
  EXPECT_EQ(writer.text(), "[null,1e+300]");
}

}  // namespace
}  // namespace berth::json
