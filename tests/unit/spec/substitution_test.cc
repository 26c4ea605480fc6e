// SPDX-License-Identifier: Apache-2.0
// Every node of a config with every field, replaced by values it cannot be: each must be refused,
// and the error must point to the node. A wrong value that is accepted would run a container with
// less protection than was asked for.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <vector>

#include "examples.h"
#include "json/write.h"
#include "spec/read_spec.h"

namespace berth::spec {
namespace {

using json::Value;
using Kind = json::Value::Kind;

constexpr std::string_view kOddValues[] = {
    "null", "true",   "\"odd\"",        "[]",   "{}", "-1", "1.5", "1e2", "18446744073709551616",
    "[[]]", "[null]", "{\"odd\":null}", "\"0\""};

std::string escaped(std::string_view name) {
  std::string token;
  for (const char c : name) token += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return token;
}

struct Node {
  std::string pointer;
  Kind kind;
  size_t begin;
  size_t end;
};

void write_node(json::Writer& writer, const Value& value, const std::string& pointer,
                std::vector<Node>& nodes);

void write_inside(json::Writer& writer, const Value& value, const std::string& pointer,
                  std::vector<Node>& nodes) {
  switch (value.kind) {
    case Kind::Null: writer.null(); return;
    case Kind::Bool: writer.boolean(value.boolean); return;
    case Kind::Signed: writer.number(value.signed_integer); return;
    case Kind::Unsigned: writer.number(value.unsigned_integer); return;
    case Kind::Double: writer.real(value.real); return;
    case Kind::String: writer.string(value.string()); return;
    case Kind::Array:
      writer.begin_array();
      for (size_t i = 0; i < value.array().size(); ++i) {
        write_node(writer, value.array()[i], pointer + "/" + std::to_string(i), nodes);
      }
      break;
    case Kind::Object:
      writer.begin_object();
      for (const auto& member : value.object()) {
        writer.key(member.name);
        write_node(writer, member.value, pointer + "/" + escaped(member.name), nodes);
      }
      break;
  }
  writer.end();
}

void write_node(json::Writer& writer, const Value& value, const std::string& pointer,
                std::vector<Node>& nodes) {
  const size_t before = writer.text().size();
  write_inside(writer, value, pointer, nodes);
  const size_t begin = writer.text()[before] == ',' ? before + 1 : before;
  nodes.push_back({pointer, value.kind, begin, writer.text().size()});
}

// The config in one line, and where each of its nodes stands.
struct Example {
  std::string text;
  std::vector<Node> nodes = {};

  std::string with(const Node& node, std::string_view odd) const {
    return text.substr(0, node.begin) + std::string(odd) + text.substr(node.end);
  }
};

Example example() {
  const std::string text = full_config();
  const auto document = json::parse(text);
  EXPECT_TRUE(document.has_value());
  Example result;
  json::Writer writer;
  write_node(writer, document->root(), "", result.nodes);
  result.text = writer.take();
  return result;
}

Kind kind_of(std::string_view text) { return json::parse(text)->root().kind; }

bool is_integer(Kind kind) { return kind == Kind::Signed || kind == Kind::Unsigned; }

// Whether the odd value has a type that the node may have: only its meaning can be wrong then.
bool could_be(const Node& node, Kind odd) {
  if (is_integer(node.kind)) return is_integer(odd);
  return odd == node.kind;
}

TEST(Substitution, WrongTypesAreRefusedWithThePointer) {
  const Example config = example();
  size_t tried = 0;
  for (const Node& node : config.nodes) {
    for (const std::string_view odd : kOddValues) {
      if (could_be(node, kind_of(odd))) continue;
      const auto spec = read_spec(config.with(node, odd));
      ++tried;
      ASSERT_FALSE(spec.has_value()) << node.pointer << " = " << odd;
      EXPECT_EQ(spec.error().kind(), ErrorKind::InvalidConfig);
      EXPECT_EQ(spec.error().pointer(), node.pointer)
          << " = " << odd << ": " << spec.error().message();
      EXPECT_TRUE(spec.error().message().contains("config.json:1:")) << spec.error().message();
    }
  }
  EXPECT_GT(tried, 2000U);
}

TEST(Substitution, WrongElementsAreRefusedWithThePointer) {
  const Example config = example();
  for (const Node& node : config.nodes) {
    if (node.kind != Kind::Array) continue;
    for (const char* odd : {"[null]", "[[]]", "[true]", "[1.5]"}) {
      const auto spec = read_spec(config.with(node, odd));
      ASSERT_FALSE(spec.has_value()) << node.pointer << " = " << odd;
      EXPECT_EQ(spec.error().pointer(), node.pointer + "/0") << " = " << odd;
    }
  }
}

TEST(Substitution, EveryKeyIsRefusedInAnotherCase) {
  const Example config = example();
  size_t tried = 0;
  for (const Node& node : config.nodes) {
    const size_t slash = node.pointer.rfind('/');
    const std::string parent = slash == std::string::npos ? "" : node.pointer.substr(0, slash);
    const std::string name = slash == std::string::npos ? "" : node.pointer.substr(slash + 1);
    const std::string last = parent.substr(std::min(parent.rfind('/'), parent.size()));
    const bool free_keys = last == "/annotations" || last == "/sysctl" || last == "/unified" ||
                           last == "/netDevices" || last == "/rdma" || last == "/timeOffsets";
    if (free_keys || name.find_first_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos)
      continue;
    std::string changed = config.text;
    for (size_t i = node.begin - name.size() - 2; i < node.begin - 2; ++i) {
      changed[i] = static_cast<char>(std::toupper(changed[i]));
    }
    ++tried;
    const auto spec = read_spec(changed);
    ASSERT_FALSE(spec.has_value()) << node.pointer;
    EXPECT_TRUE(spec.error().message().contains("did you mean")) << spec.error().message();
  }
  EXPECT_GT(tried, 150U);
}

// read + validate of any replacement ends: with a spec that can be written and read, or with a
// place.
TEST(Substitution, OddMeaningsNeverBreak) {
  const Example config = example();
  for (const Node& node : config.nodes) {
    for (const char* odd :
         {"\"\"", "\"/\"", "\"..\"", "0", "-1", "4294967295", "[]", "{}", "{\"\":{}}"}) {
      const auto spec = read_valid_spec(config.with(node, odd));
      if (!spec) {
        EXPECT_TRUE(node.pointer.empty() || !spec.error().pointer().empty())
            << spec.error().message();
      } else {
        EXPECT_EQ(read_spec(write_spec(*spec, 0)).value(), *spec);
      }
    }
  }
}

}  // namespace
}  // namespace berth::spec
