// SPDX-License-Identifier: Apache-2.0
#include "cgroup/bus_message.h"

#include <gtest/gtest.h>

#include "cgroup/bus.h"

namespace berth::cgroup {
namespace {

using plan::bus_array;
using plan::bus_boolean;
using plan::bus_number;
using plan::bus_string;
using plan::bus_struct;
using plan::bus_variant;
using plan::BusValue;

// By hand after the D-Bus Specification, "Message Format".
TEST(BusMessage, IsWrittenAsSpecified) {
  const std::string bytes = write_call({.destination = "a.b",
                                        .path = "/c",
                                        .interface = "d.e",
                                        .member = "F",
                                        .arguments = {bus_string("xy")}},
                                       7);
  const std::string_view expected(
      "l\1\0\1"
      "\7\0\0\0"
      "\7\0\0\0"
      "\x47\0\0\0"
      "\1\1o\0"
      "\2\0\0\0"
      "/c\0\0"
      "\0\0\0\0"
      "\6\1s\0"
      "\3\0\0\0"
      "a.b\0"
      "\0\0\0\0"
      "\2\1s\0"
      "\3\0\0\0"
      "d.e\0"
      "\0\0\0\0"
      "\3\1s\0"
      "\1\0\0\0"
      "F\0\0\0"
      "\0\0\0\0"
      "\x8\1g\0"
      "\1s\0"
      "\0"
      "\2\0\0\0"
      "xy\0",
      95);
  EXPECT_EQ(bytes.size(), 95u);
  EXPECT_EQ(bytes, expected);
}

std::vector<BusValue> of_each_kind() {
  return {bus_boolean(true),
          bus_number('y', 200),
          bus_number('q', 65535),
          bus_number('u', 4000000000),
          bus_number('t', UINT64_MAX),
          {.type = "d", .real = 0.5},
          bus_string(""),
          {.type = "o", .text = "/a/b"},
          {.type = "g", .text = "a(sv)"},
          bus_array("s", {bus_string("one"), bus_string("two")}),
          bus_array("(sv)", {}),
          bus_array("t", {bus_number('t', 1)}),
          bus_struct({bus_number('y', 1), bus_variant(bus_array("u", {bus_number('u', 9)}))}),
          bus_variant(bus_variant(bus_string("deep")))};
}

TEST(BusMessage, IsReadAsItWasWritten) {
  const std::string bytes =
      write_call({.path = "/p", .interface = "i.f", .member = "M", .arguments = of_each_kind()}, 3);
  ASSERT_EQ(message_size(std::string_view(bytes).substr(0, kBusHeaderSize)).value_or(0),
            bytes.size());
  const Result<BusMessage> message = read_message(bytes);
  ASSERT_TRUE(message) << message.error().message();
  EXPECT_EQ(message->type, BusMessageType::Call);
  EXPECT_EQ(message->serial, 3u);
  EXPECT_EQ(message->path, "/p");
  EXPECT_EQ(message->interface, "i.f");
  EXPECT_EQ(message->member, "M");
  EXPECT_EQ(message->arguments, of_each_kind());
}

// Whatever byte is wrong, nothing is read beyond the end.
TEST(BusMessage, IsRefusedWhenDamaged) {
  const std::string bytes =
      write_call({.path = "/p", .interface = "i.f", .member = "M", .arguments = of_each_kind()}, 3);
  for (size_t length = 0; length < bytes.size(); ++length)
    EXPECT_FALSE(read_message(bytes.substr(0, length))) << length;
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (const char value : {'\0', '\1', '\x7f', '\xff', 'a', 'v', '('}) {
      std::string damaged = bytes;
      damaged[at] = value;
      const std::string exact(damaged.data(),
                              damaged.size());  // of its own: valgrind and ASan see its end
      (void)read_message(exact);
    }
  }
  EXPECT_FALSE(message_size("B\1\0\1aaaabbbbcccc"));
  EXPECT_FALSE(message_size(std::string_view("l\1\0\1\xff\xff\xff\xff\0\0\0\0\0\0\0\0", 16)));
}

TEST(BusMessage, CompleteTypes) {
  struct Row {
    const char* signature;
    size_t length;
  };
  for (const Row& row : {Row{"", 0},
                         {"s", 1},
                         {"sv", 1},
                         {"as", 2},
                         {"a(sv)u", 5},
                         {"a{sv}", 5},
                         {"a", 0},
                         {"(s", 0},
                         {"()", 0},
                         {"z", 0},
                         {"aaay", 4},
                         {"(a(yv)t)", 8}})
    EXPECT_EQ(complete_type(row.signature), row.length) << row.signature;
}

TEST(Bus, FindsSocketsInAddresses) {
  EXPECT_EQ(socket_paths("unix:path=/run/dbus/system_bus_socket"),
            std::vector<std::string>{"/run/dbus/system_bus_socket"});
  EXPECT_EQ(socket_paths("tcp:host=a;unix:path=/a%20b,guid=12;unix:guid=1,path=/c"),
            (std::vector<std::string>{"/a b", "/c"}));
  EXPECT_EQ(socket_paths("unix:abstract=/tmp/x;nonsense"), std::vector<std::string>{});
  EXPECT_EQ(socket_paths(""), std::vector<std::string>{});
}

}  // namespace
}  // namespace berth::cgroup
