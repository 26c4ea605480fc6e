// SPDX-License-Identifier: Apache-2.0
#include "cgroup/resctrl.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace berth::cgroup {
namespace {

namespace fs = std::filesystem;

// A folder like a mounted resctrl: this machine has none. What differs: files do not come and go
// with their directory.
class Resctrl : public testing::Test {
 protected:
  Resctrl() {
    char name[] = "/tmp/berth-resctrl-XXXXXX";
    folder_ = ::mkdtemp(name);
    fs::create_directories(folder_ / "mon_groups");
    fs::create_directories(folder_ / "gold/mon_groups");
    write("schemata", "    L3:0=fffff;1=fffff\n");
    write("gold/schemata", "    L3:0=000ff;1=fffff\n    MB:0= 50;1=100\n");
  }
  ~Resctrl() override { fs::remove_all(folder_); }

  void write(const char* name, const char* text) const { std::ofstream(folder_ / name) << text; }
  std::string read(const std::string& name) const {
    std::ifstream file(folder_ / name);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  bool exists(const char* name) const { return fs::exists(folder_ / name); }
  Result<> make(const plan::RdtPlan& plan) const { return make_class(folder_, plan); }
  RdtPlaces places(const plan::RdtPlan& plan) const { return rdt_places(folder_, plan); }

  fs::path folder_;
};

TEST_F(Resctrl, OwnClassIsMadeAndRemoved) {
  const plan::RdtPlan plan{.group = "c1", .own = true, .schemata = "L3:0=f\nMB:0=10\n"};
  ASSERT_TRUE(make(plan));
  EXPECT_EQ(read("c1/schemata"), "L3:0=f\nMB:0=10\n");
  ASSERT_TRUE(add_to_class(places(plan), 77));
  EXPECT_EQ(read("c1/tasks"), "77");
  EXPECT_EQ(make(plan).error().os_error(), EEXIST);  // another's of that name
  fs::remove(folder_ / "c1/schemata");
  fs::remove(folder_ / "c1/tasks");
  EXPECT_TRUE(remove_class(places(plan)));
  EXPECT_FALSE(exists("c1"));
  EXPECT_TRUE(remove_class(places(plan)));
}

TEST_F(Resctrl, NamedClassMustBeThereWhenNothingSaysWhatItIs) {
  const plan::RdtPlan gold{.group = "gold", .must_exist = true};
  ASSERT_TRUE(make(gold));
  ASSERT_TRUE(add_to_class(places(gold), 5));
  EXPECT_EQ(read("gold/tasks"), "5");
  EXPECT_TRUE(places(gold).removed.empty());
  const Result<> missing = make({.group = "silver", .must_exist = true});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().kind(), ErrorKind::InvalidConfig);
  EXPECT_FALSE(exists("silver"));
}

TEST_F(Resctrl, NamedClassIsMadeAndStays) {
  const plan::RdtPlan silver{.group = "silver", .schemata = "L3:0=1\n"};
  ASSERT_TRUE(make(silver));
  EXPECT_EQ(read("silver/schemata"), "L3:0=1\n");
  EXPECT_TRUE(places(silver).removed.empty());
}

TEST_F(Resctrl, NamedClassThatExistsIsComparedNotChanged) {
  const std::string before = read("gold/schemata");
  EXPECT_TRUE(make({.group = "gold", .schemata = "L3:0=FF\nMB:1=100;0=50\n"}));
  const Result<> other = make({.group = "gold", .schemata = "L3:0=ff\nMB:0=60\n"});
  ASSERT_FALSE(other);
  EXPECT_NE(other.error().message().find("MB:0=60"), std::string::npos);
  EXPECT_EQ(read("gold/schemata"), before);
}

TEST_F(Resctrl, DefaultClass) {
  const plan::RdtPlan plan{.must_exist = true, .monitor = "c1"};
  ASSERT_TRUE(make(plan));
  ASSERT_TRUE(add_to_class(places(plan), 9));
  EXPECT_EQ(read("tasks"), "9");
  EXPECT_EQ(read("mon_groups/c1/tasks"), "9");
  fs::remove(folder_ / "mon_groups/c1/tasks");
  EXPECT_TRUE(remove_class(places(plan)));
  EXPECT_FALSE(exists("mon_groups/c1"));
  EXPECT_TRUE(exists("gold"));
}

TEST_F(Resctrl, MonitoringGroupOfANamedClass) {
  const plan::RdtPlan plan{.group = "gold", .must_exist = true, .monitor = "c1"};
  ASSERT_TRUE(make(plan));
  EXPECT_TRUE(exists("gold/mon_groups/c1"));
  EXPECT_EQ(make(plan).error().os_error(), EEXIST);
}

TEST_F(Resctrl, AClassIsChangedAndChangedBack) {
  const std::string gold = (folder_ / "gold").string();
  const Result<std::string> old = change_class(gold, "L3:0=1;1=1\n");
  ASSERT_TRUE(old) << old.error().message();
  EXPECT_EQ(*old, "L3:0=000ff;1=fffff\n");
  EXPECT_TRUE(read("gold/schemata").starts_with("L3:0=1;1=1\n"));
  EXPECT_FALSE(change_class((folder_ / "silver").string(), "L3:0=1\n"));
}

TEST(SchemataInForce, LinesOfTheSameResource) {
  constexpr const char* kFound = "    L3:0=000ff;1=fffff\n    MB:0= 50;1=100\n";
  EXPECT_EQ(lines_in_force("MB:0=10\n", kFound), "MB:0= 50;1=100\n");
  EXPECT_EQ(lines_in_force("L3:0=1\nMB:0=10\n", kFound), "L3:0=000ff;1=fffff\nMB:0= 50;1=100\n");
  EXPECT_EQ(lines_in_force("L2:0=1\n", kFound), "");
}

// The members' names and places are those of runc's types.IntelRdt.
TEST_F(Resctrl, WhatAClassHasAndWhatItsGroupCounted) {
  fs::create_directories(folder_ / "info/L3");
  fs::create_directories(folder_ / "info/MB");
  fs::create_directories(folder_ / "gold/mon_groups/c1/mon_data/mon_L3_01");
  fs::create_directories(folder_ / "gold/mon_groups/c1/mon_data/mon_L3_00");
  write("info/L3/cbm_mask", "fffff\n");
  write("info/L3/min_cbm_bits", "2\n");
  write("info/L3/num_closids", "16\n");
  write("info/MB/bandwidth_gran", "10\n");
  write("info/MB/delay_linear", "1\n");
  write("info/MB/min_bandwidth", "10\n");
  write("info/MB/num_closids", "8\n");
  write("gold/mon_groups/c1/mon_data/mon_L3_00/mbm_total_bytes", "300\n");
  write("gold/mon_groups/c1/mon_data/mon_L3_00/mbm_local_bytes", "200\n");
  write("gold/mon_groups/c1/mon_data/mon_L3_00/llc_occupancy", "4096\n");
  write("gold/mon_groups/c1/mon_data/mon_L3_01/mbm_total_bytes", "Unavailable\n");
  Stats stats;
  stats.rdt = class_stats(places({.group = "gold", .must_exist = true, .monitor = "c1"}));
  const std::string json = stats.to_json();
  EXPECT_NE(
      json.find(
          R"("intel_rdt":{"l3_cache_info":{"cbm_mask":"fffff","min_cbm_bits":2,"num_closids":16},)"
          R"("l3_cache_schema_root":"L3:0=fffff;1=fffff","l3_cache_schema":"L3:0=000ff;1=fffff",)"
          R"("mem_bw_info":{"bandwidth_gran":10,"delay_linear":1,"min_bandwidth":10,"num_closids":8},)"
          R"("mem_bw_schema":"MB:0= 50;1=100",)"
          R"("mbm_stats":[{"mbm_total_bytes":300,"mbm_local_bytes":200},)"
          R"({"mbm_total_bytes":0,"mbm_local_bytes":0}],)"
          R"("cmt_stats":[{"llc_occupancy":4096},{"llc_occupancy":0}]})"),
      std::string::npos)
      << json;
  const std::string metrics = stats.to_openmetrics("a");
  constexpr const char* kTraffic =
      "container_rdt_memory_traffic_bytes_total{id=\"a\",domain=\"00\"} 300\n";
  EXPECT_NE(metrics.find(kTraffic), std::string::npos) << metrics;
  EXPECT_EQ(metrics.find("domain=\"01\""), std::string::npos) << metrics;
}

TEST_F(Resctrl, WhatTheProcessorDoesNotHaveIsLeftOut) {
  fs::create_directories(folder_ / "info/L3CODE");
  write("info/L3CODE/cbm_mask", "ff\n");
  write("schemata", "L3DATA:0=ff\nL3CODE:0=ff\n");
  const RdtStats stats = class_stats(places({.must_exist = true}));
  ASSERT_TRUE(stats.cache);
  EXPECT_EQ(stats.cache->cbm_mask, "ff");
  EXPECT_EQ(stats.cache->schema_root, "L3DATA:0=ff\nL3CODE:0=ff");
  EXPECT_FALSE(stats.bandwidth);
  EXPECT_TRUE(stats.domains.empty());
  EXPECT_FALSE(class_stats({}).cache);
}

TEST_F(Resctrl, AFailureLeavesNoClass) {
  // A new directory of a plain folder has no mon_groups: the second step fails.
  ASSERT_FALSE(make({.group = "c1", .own = true, .monitor = "c1"}));
  EXPECT_FALSE(exists("c1"));
}

TEST(ResctrlMountpoint, IsFoundByItsType) {
  EXPECT_EQ(resctrl_mountpoint(
                "25 1 0:21 / /sys rw - sysfs sysfs rw\n"
                "40 25 0:30 / /sys/fs/resctrl rw,relatime shared:9 - resctrl resctrl rw\n"),
            "/sys/fs/resctrl");
  EXPECT_EQ(resctrl_mountpoint("25 1 0:21 / /resctrl rw - sysfs resctrl rw\n"), "");
}

TEST(SchemataDifference, Table) {
  constexpr const char* kFound = "  L3:0=0fff;1=00ff\n  MB:0=100;1= 50\n";
  const std::pair<const char*, const char*> rows[] = {
      {"L3:0=fff\n", ""},         {"L3:0=FFF;1=ff\n", ""},           {"L3:1=ff;0=fff\n", ""},
      {"MB:1=50\n", ""},          {"L3:0=ff\n", "L3:0=ff"},          {"L3:2=fff\n", "L3:2=fff"},
      {"L2:0=fff\n", "L2:0=fff"}, {"L3:0=fff\nMB:0=10\n", "MB:0=10"}};
  for (const auto& [wanted, line] : rows)
    EXPECT_EQ(first_difference(wanted, kFound), line) << wanted;
}

}  // namespace
}  // namespace berth::cgroup
