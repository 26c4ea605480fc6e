// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <string>

#include "json/value.h"

namespace berth::json {
namespace {

using namespace std::string_literals;

std::string problem_of(std::string_view text) {
  const auto document = parse(text);
  if (document) return "accepted";
  EXPECT_EQ(document.error().kind(), ErrorKind::InvalidConfig);
  return document.error().message();
}

TEST(Parse, ReadsEveryKind) {
  auto document = parse(
      R"({"n":null,"t":true,"f":false,"s":"aé\u00e9\ud83d\ude00\/\n","a":[1,[],{}],"o":{"x":{}}})");
  ASSERT_TRUE(document.has_value()) << document.error().message();
  const Value& root = document->root();
  ASSERT_EQ(root.kind, Value::Kind::Object);
  EXPECT_EQ(root.object().size(), 6U);
  EXPECT_EQ(root.find("n")->kind, Value::Kind::Null);
  EXPECT_TRUE(root.find("t")->boolean);
  EXPECT_FALSE(root.find("f")->boolean);
  EXPECT_EQ(root.find("s")->string(), "aéé😀/\n");
  ASSERT_EQ(root.find("a")->array().size(), 3U);
  EXPECT_EQ(root.find("a")->array()[1].kind, Value::Kind::Array);
  EXPECT_EQ(root.find("o")->find("x")->kind, Value::Kind::Object);
  EXPECT_EQ(root.find("absent"), nullptr);
}

TEST(Parse, KeepsIntegersExact) {
  auto document = parse(
      "[0,-0,-1,9223372036854775807,9223372036854775808,18446744073709551615,-"
      "9223372036854775808]");
  ASSERT_TRUE(document.has_value());
  const auto numbers = document->root().array();
  for (const size_t i : {0U, 1U, 3U, 4U, 5U})
    EXPECT_EQ(numbers[i].kind, Value::Kind::Unsigned) << i;
  EXPECT_EQ(numbers[1].unsigned_integer, 0U);
  EXPECT_EQ(numbers[2].signed_integer, -1);
  EXPECT_EQ(numbers[4].unsigned_integer, 9223372036854775808U);
  EXPECT_EQ(numbers[5].unsigned_integer, UINT64_MAX);
  EXPECT_EQ(numbers[6].signed_integer, INT64_MIN);
}

TEST(Parse, CallsEverythingElseDouble) {
  auto document =
      parse("[1.0,1e2,1E0,0.5,18446744073709551616,-9223372036854775809,-1.5e-3,1e400]");
  ASSERT_TRUE(document.has_value()) << document.error().message();
  for (const Value& number : document->root().array()) EXPECT_EQ(number.kind, Value::Kind::Double);
  EXPECT_EQ(document->root().array()[1].real, 100);
}

TEST(Parse, AcceptsAnyRoot) {
  for (const char* text : {"1", " null ", "\"x\"", "\t[]\r\n", "{}", "-1", "true"})
    EXPECT_TRUE(parse(text)) << text;
}

struct Refusal {
  std::string text;
  std::string problem;  // how the message begins
};

class Refuses : public testing::TestWithParam<Refusal> {};

TEST_P(Refuses, WithPosition) {
  const auto& [text, problem] = GetParam();
  EXPECT_EQ(problem_of(text).substr(0, problem.size()), problem) << text.substr(0, 80);
}

INSTANTIATE_TEST_SUITE_P(
    Texts, Refuses,
    testing::Values(Refusal{"", "1:1: unexpected end"}, Refusal{"   ", "1:4: unexpected end"},
                    Refusal{"{", "1:2: unexpected end"}, Refusal{"{\"a\":1", "1:7: unexpected end"},
                    Refusal{"\"abc", "1:5: unexpected end"},
                    Refusal{"{\n  \"a\": x}", "2:8: not JSON"}, Refusal{"[1,]", "1:4: not JSON"},
                    Refusal{"{\"a\":1,}", "1:8: not JSON"}, Refusal{"{} }", "1:4: text after"},
                    Refusal{"{}\n{}", "2:1: text after"}, Refusal{"1 2", "1:3: text after"},
                    Refusal{"// c\n{}", "1:1: not JSON"}, Refusal{"{/**/}", "1:2: not JSON"},
                    Refusal{"\xEF\xBB\xBF{}", "1:1: not JSON"},
                    Refusal{"\"\xff\"", "1:2: not JSON"}, Refusal{"\"\xc0\x80\"", "1:"},
                    Refusal{"\"\xed\xa0\x80\"", "1:"}, Refusal{"\"\\ud800\"", "1:"},
                    Refusal{"\"\\udc00\"", "1:"}, Refusal{"\"\\u12\"", "1:"},
                    Refusal{"\"\\x\"", "1:"}, Refusal{"\"a\nb\"", "1:3: not JSON"},
                    Refusal{"\"a\0b\""s, "1:3: not JSON"}, Refusal{"{}\0"s, "1:3: text after"},
                    Refusal{"\"a\\u0000b\"", "1:10: NUL in a string"},
                    Refusal{"{\"\\u0000\":1}", "1:9: NUL in a string"},
                    Refusal{"01", "1:2: text after"}, Refusal{"+1", "1:1: not JSON"},
                    Refusal{"1.", "1:3: unexpected end"}, Refusal{".5", "1:1: not JSON"},
                    Refusal{"1e", "1:3: unexpected end"}, Refusal{"0x10", "1:2: text after"},
                    Refusal{"NaN", "1:1: not JSON"}, Refusal{"Infinity", "1:1: not JSON"},
                    Refusal{"'a'", "1:1: not JSON"}, Refusal{"True", "1:1: not JSON"},
                    Refusal{"{a:1}", "1:2: not JSON"}, Refusal{"{\"a\" 1}", "1:6: not JSON"},
                    Refusal{"{\"a\":1,\n \"b\":2,\n \"a\":3}", "3:2: duplicate key \"a\""},
                    Refusal{R"({"a":1,"\u0061":3})", "1:"},
                    Refusal{"[{\"\":1,\"\":2}]", "1:8: duplicate key \"\""}));

TEST(Parse, FindsDuplicatesAmongManyKeys) {
  std::string text = "{";
  for (int i = 0; i < 20000; ++i) text += "\"key" + std::to_string(i) + "\":0,\n";
  EXPECT_EQ(problem_of(text + "\"last\":0}"), "accepted");
  EXPECT_EQ(problem_of(text + "\"key7\":0}"), "20001:1: duplicate key \"key7\"");
  EXPECT_EQ(problem_of(text + "\"key7\":0,\"key7\":0}"), "20001:1: duplicate key \"key7\"");
}

TEST(Parse, LimitsDepth) {
  const auto nested = [](size_t levels) {
    return std::string(levels, '[') + std::string(levels, ']');
  };
  EXPECT_EQ(problem_of(nested(64)), "accepted");
  EXPECT_NE(problem_of(nested(65)).find("more than 64 levels"), std::string::npos);
  EXPECT_NE(problem_of(std::string(1000000, '[')).find("more than 64 levels"), std::string::npos);
  std::string objects;
  for (int i = 0; i < 100000; ++i) objects += "{\"a\":";
  EXPECT_NE(problem_of(objects).find("more than 64 levels"), std::string::npos);
}

TEST(Parse, ReadsLongStringsWithEscapes) {
  std::string text = "\"";
  std::string expected;
  for (int i = 0; i < 5000; ++i) {
    text += "plain\\u0041\\n\\\\";
    expected += "plainA\n\\";
  }
  text += '"';
  auto document = parse(text);
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(document->root().string(), expected);
}

TEST(Parse, CopiesOnlyStringsWithEscapes) {
  const std::string text = R"({"name":["value","v\u0061lue"]})";
  auto document = parse(text);
  ASSERT_TRUE(document.has_value());
  const Document moved = std::move(*document);
  const auto values = moved.root().find("name")->array();
  EXPECT_EQ(values[0].string().data(), text.data() + text.find("value"));
  EXPECT_EQ(values[1].string(), "value");
}

}  // namespace
}  // namespace berth::json
