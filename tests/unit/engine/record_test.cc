// SPDX-License-Identifier: Apache-2.0
#include "engine/record.h"

#include <gtest/gtest.h>

#include <limits>

namespace berth::engine {
namespace {

Record full_record() {
  Record record;
  record.id = "web";
  record.bundle = "/bundles/w\"e\\b\n";
  record.rootfs = "/bundles/web/rootfs";
  record.created = "2026-01-02T03:04:05.000000006Z";
  record.oci_version = "1.3.0";
  record.boot_id = "0f1e2d3c";
  record.owner = 4294967294U;
  record.creator = 77;
  record.namespaces = std::numeric_limits<uint64_t>::max();
  record.cgroup_driver = plan::CgroupDriver::Systemd;
  record.tolerate_denied = true;
  record.cgroups = {{{"cpu", "cpuacct"}, "/sys/fs/cgroup/cpu,cpuacct", "/a/web", false},
                    {{}, "/sys/fs/cgroup/unified", "/b", true}};
  record.net_devices = {{.host_name = "eth1",
                         .name = "net0",
                         .index = 7,
                         .hardware = std::string("\x02\x00\xff", 3),
                         .was_up = true,
                         .addresses = {{.family = 2,
                                        .prefix = 24,
                                        .flags = 128,
                                        .local = std::string("\xc0\x00\x02\x01", 4),
                                        .peer = "1234",
                                        .broadcast = ""}}}};
  record.interfaces = {{.link = "br0", .host_name = "berth0", .name = "eth0"},
                       {.kind = Interface::Kind::Macvlan, .link = "wire", .name = "eth1"},
                       {.kind = Interface::Kind::Cni, .link = "net", .name = "eth2"}};
  record.mounts = {
      {.token = "mine",
       .mount = {.destination = "/a", .type = "bind", .source = "/b", .options = {"ro"}},
       .id = 77,
       .device = "8:1",
       .made_target = true}};
  record.network_path = "/run/netns/x";
  record.rdt = {.tasks = {"/r/c1", "/r/c1/mon_groups/c1"}, .removed = {"/r/c1"}};
  record.pid_file = "/run/web.pid";
  record.annotated = true;
  record.changes_root = true;
  return record;
}

void replace(std::string& text, std::string_view old, std::string_view fresh) {
  const size_t place = text.find(old);
  ASSERT_NE(place, std::string::npos) << old;
  text.replace(place, old.size(), fresh);
}

TEST(Record, ComesBackAsItWasWritten) {
  const Record wrote = full_record();
  const auto read = read_record(write_record(wrote));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->bundle, wrote.bundle);
  EXPECT_EQ(read->owner, wrote.owner);
  EXPECT_EQ(read->creator, wrote.creator);
  EXPECT_EQ(read->mounts, wrote.mounts);
  EXPECT_EQ(read->namespaces, wrote.namespaces);
  EXPECT_TRUE(read->annotated && read->changes_root);
  EXPECT_EQ(read->interfaces, wrote.interfaces);
  ASSERT_EQ(read->cgroups.size(), 2U);
  EXPECT_EQ(read->cgroups[0].controllers, wrote.cgroups[0].controllers);
  EXPECT_TRUE(read->cgroups[1].is_v2);
  EXPECT_EQ(read->net_devices, wrote.net_devices);
  EXPECT_EQ(read->network_path, wrote.network_path);
  EXPECT_EQ(read->rdt, wrote.rdt);
  // Every other member too: the texts are the same.
  EXPECT_EQ(write_record(*read), write_record(wrote));
}

TEST(Record, ComesBackWithNothingInIt) {
  const auto read = read_record(write_record(Record{}));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(write_record(*read), write_record(Record{}));
}

TEST(Record, KnowsEachCgroupDriver) {
  using enum plan::CgroupDriver;
  for (const auto driver : {Filesystem, Systemd, Disabled}) {
    Record record;
    record.cgroup_driver = driver;
    const auto read = read_record(write_record(record));
    ASSERT_TRUE(read);
    EXPECT_EQ(read->cgroup_driver, driver);
  }
}

TEST(Record, IsRefusedWhenCutAnywhere) {
  const std::string whole = write_record(full_record());
  for (size_t size = 0; size + 2 < whole.size(); ++size)
    EXPECT_FALSE(read_record(whole.substr(0, size))) << size;
}

TEST(Record, IsRefusedWhenAMemberIsMissing) {
  const std::string whole = write_record(full_record());
  for (const char* name : {"version", "id", "bundle", "rootfs", "created", "ociVersion", "bootId",
                           "owner", "creator", "namespaces", "cgroupDriver", "tolerateDenied",
                           "cgroups", "pidFile", "changesRoot", "annotated"}) {
    std::string damaged = whole;
    replace(damaged, '"' + std::string(name) + '"', "\"other\"");
    const auto read = read_record(damaged);
    ASSERT_FALSE(read) << name;
    EXPECT_NE(read.error().message().find(name), std::string::npos) << read.error().message();
  }
}

struct Damage {
  const char* old;
  const char* fresh;
};

TEST(Record, IsRefusedWhenAValueIsNotWhatItShouldBe) {
  const Damage rows[] = {
      {"4294967294", "4294967296"},
      {"4294967294", "-1"},
      {"\"creator\":77", "\"creator\":2147483648"},
      {"\"creator\":77", "\"creator\":\"77\""},
      {"\"web\"", "7"},
      {"\"systemd\"", "\"initd\""},
      {"\"tolerateDenied\":true", "\"tolerateDenied\":1"},
      {"\"cpuacct\"", "null"},
      {"\"v2\":false", "\"v2\":\"no\""},
      {"\"annotated\":true", "\"annotated\":1"},
      {"\"changesRoot\":true", "\"changesRoot\":1"},
      {"c0000201", "c000020"},
      {"c0000201", "c00002zz"},
      {"\"family\":2", "\"family\":256"},
      {"\"hostName\"", "\"x\""},
      {"\"up\":true", "\"up\":1"},
      {"\"networkPath\"", "\"x\""},
      {"\"madeTarget\":true", "\"madeTarget\":1"},
      {"\"device\":\"8:1\"", "\"device\":8"},
      {"\"destination\"", "\"x\""},
      {"\"type\":\"macvlan\"", "\"type\":\"wlan\""},
      {"\"type\":\"macvlan\"", "\"type\":null"},
      {"\"rdtRemoved\"", "\"x\""},
      {"[\"/r/c1\"]", "[1]"},
  };
  for (const Damage& row : rows) {
    std::string damaged = write_record(full_record());
    replace(damaged, row.old, row.fresh);
    EXPECT_FALSE(read_record(damaged)) << row.fresh;
  }
  for (const char* text : {"", "null", "[]", "\"\"", "{}"}) EXPECT_FALSE(read_record(text)) << text;
}

TEST(Record, OfALaterVersionIsUnsupported) {
  std::string later = write_record(full_record());
  replace(later, "\"version\":4", "\"version\":5,\"what\":{}");
  const auto read = read_record(later);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().kind(), ErrorKind::Unsupported);
  EXPECT_NE(read.error().message().find("a newer berth"), std::string::npos);
}

// What it cannot undo an older berth must not read; all else it can.
TEST(Record, IsOfTheVersionThatItNeeds) {
  Record record = full_record();
  EXPECT_NE(write_record(record).find("\"version\":4"), std::string::npos);
  record.mounts.clear();
  EXPECT_NE(write_record(record).find("\"version\":3"), std::string::npos);
  record.interfaces.clear();
  EXPECT_NE(write_record(record).find("\"version\":2"), std::string::npos);
}

// As the first version wrote it: annotations were in the record, too.
TEST(Record, OfTheFirstVersionIsRead) {
  constexpr std::string_view kText =
      R"({"version":1,"id":"web","bundle":"/b","rootfs":"/b/rootfs","created":"2026-01-02T03:04:05Z",)"
      R"("ociVersion":"1.3.0","bootId":"0f1e","owner":0,"creator":77,"namespaces":131072,)"
      R"("cgroupDriver":"cgroupfs","tolerateDenied":false,"cgroups":[],"pidFile":"",)"
      R"("poststart":false,"poststop":true,"annotations":{"a":"b"}})";
  const auto read = read_record(kText);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->creator, 77);
  EXPECT_EQ(read->namespaces, 131072U);
  EXPECT_TRUE(read->has_poststop);
  EXPECT_TRUE(read->annotated) << "the config behind it says which";
  EXPECT_FALSE(read->changes_root);
}

TEST(Record, TakesItsProcess) {
  Record record;
  record.pid = 12;
  record.start_time = std::numeric_limits<uint64_t>::max();
  Record read;
  read_process(write_process(record), read);
  EXPECT_EQ(read.pid, 12);
  EXPECT_EQ(read.start_time, record.start_time);
}

TEST(Record, ItsProcessTakesOneLineOfAlwaysTheSameLength) {
  Record largest;
  largest.pid = std::numeric_limits<pid_t>::max();
  largest.start_time = std::numeric_limits<uint64_t>::max();
  for (const Record& record : {Record{}, largest}) {
    const std::string line = write_process(record);
    EXPECT_EQ(line.size(), kProcessLine);
    EXPECT_EQ(line.find('\n'), kProcessLine - 1);
  }
}

TEST(Record, IsLeftAsItIsByAProcessThatIsBeingWritten) {
  Record before, after;
  after.pid = 4321;
  after.start_time = 987654;
  const std::string old = write_process(before), fresh = write_process(after);
  for (size_t written = 0; written < kProcessLine; ++written) {
    Record read;
    read_process(fresh.substr(0, written) + old.substr(written), read);
    if (read.pid == 0) continue;
    EXPECT_EQ(read.pid, after.pid);
    EXPECT_EQ(read.start_time, after.start_time);
  }
}

TEST(Record, IsLeftAsItIsByADamagedProcess) {
  for (const char* text :
       {"", "{", "[]", R"({"pid":5})", R"({"startTime":5})", R"({"pid":"5", "startTime":5})",
        R"({"pid":4294967296, "startTime":5})", R"({"pid":5, "startTime":-5})"}) {
    Record record;
    read_process(text, record);
    EXPECT_EQ(record.pid, 0) << text;
    EXPECT_EQ(record.start_time, 0U) << text;
  }
}

}  // namespace
}  // namespace berth::engine
