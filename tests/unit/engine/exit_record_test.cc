// SPDX-License-Identifier: Apache-2.0
#include "engine/exit_record.h"

#include <gtest/gtest.h>

#include "engine/clock.h"

namespace berth::engine {
namespace {

TEST(ExitRecord, ComesBackAsItWasWritten) {
  const ExitRecord wrote{
      .id = "web",
      .exit = ExitStatus{.signal = 9},
      .oom = OutOfMemory{.kills = 3,
                         .limit = OomLimit::Above,
                         .cgroup = "/a",
                         .victims = {{.pid = 7, .name = "s\"h", .cgroup = "/a/web"}}},
      .created = "2026-01-02T03:04:05.000000006Z",
      .finished = "2026-01-02T03:04:06.000000000Z",
      .memory_peak_bytes = UINT64_MAX,
      .pids_peak = 2};
  const auto read = parse_exit(wrote.to_json());
  ASSERT_TRUE(read);
  EXPECT_EQ(read->to_json(), wrote.to_json());
  ASSERT_TRUE(read->exit);
  EXPECT_EQ(read->exit->signal, 9);
  EXPECT_EQ(read->oom->limit, OomLimit::Above);
  EXPECT_FALSE(read->cpu_ns);
}

TEST(ExitRecord, CodeZeroIsKnownAndNothingIsNot) {
  EXPECT_NE(ExitRecord{.exit = ExitStatus{}}.to_json().find("\"exitCode\":0,\"signal\":null"),
            std::string::npos);
  EXPECT_NE(ExitRecord().to_json().find("\"exitCode\":null,\"signal\":null"), std::string::npos);
  EXPECT_EQ(parse_exit(ExitRecord{.exit = ExitStatus{}}.to_json())->exit->code, 0);
  EXPECT_FALSE(parse_exit(ExitRecord().to_json())->exit);
}

TEST(ExitRecord, NoKillsAreKnownOnlyOfACgroupThatIsThere) {
  EXPECT_NE(ExitRecord().to_json().find("\"oomKilled\":null"), std::string::npos);
  const std::string counted = ExitRecord{.counted = true}.to_json();
  EXPECT_NE(counted.find("\"oomKilled\":false"), std::string::npos);
  EXPECT_EQ(parse_exit(counted)->to_json(), counted);
}

TEST(ExitRecord, DamageIsNoRecord) {
  for (const char* text : {"", "{", "[]", "7"}) EXPECT_FALSE(parse_exit(text));
  EXPECT_FALSE(parse_exit("{\"exitCode\":\"x\"}")->exit);
}

TEST(ExitRecord, TimesAreUtc) {
  EXPECT_EQ(utc_text(1'767'323'045'000'000'006), "2026-01-02T03:04:05.000000006Z");
}

TEST(Record, TheTimeOfTheStartIsAFixedLine) {
  Record record;
  EXPECT_EQ(write_started(0).size(), kStartedLine);
  const std::string line = write_started(1'767'323'045'000'000'006);
  EXPECT_EQ(line.size(), kStartedLine);
  read_started(write_started(0), record);
  EXPECT_EQ(record.started, 0);
  read_started(line.substr(0, 12), record);  // half written
  EXPECT_EQ(record.started, 0);
  read_started(line, record);
  EXPECT_EQ(record.started, 1'767'323'045'000'000'006);
}

}  // namespace
}  // namespace berth::engine
