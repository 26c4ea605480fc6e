// SPDX-License-Identifier: Apache-2.0
// Units of systemd: their names, places and properties.
#include <gtest/gtest.h>

#include "plan/plan_unit.h"

namespace berth::plan {
namespace {

HostFacts system_host() { return {.systemd_root = "/"}; }
HostFacts user_host() {
  return {.euid = 1000, .systemd_root = "/user.slice/user-1000.slice/user@1000.service"};
}

std::string place(const std::string& path, const HostFacts& facts, const std::string& id = "box") {
  spec::Spec spec;
  spec.platform.cgroups_path = path;
  const Result<UnitPlan> unit = plan_unit(spec, facts, {.id = id});
  if (!unit) return unit.error().pointer() + ": " + unit.error().cause();
  return unit->slice + " " + path_of_unit(*unit, facts.systemd_root);
}

TEST(Unit, Table) {
  const std::string user = "/user.slice/user-1000.slice/user@1000.service";
  EXPECT_EQ(place("", system_host()), "system.slice /system.slice/berth-box.scope");
  EXPECT_EQ(place("", user_host()), "user.slice " + user + "/user.slice/berth-box.scope");
  EXPECT_EQ(place("machine.slice:libpod:abc", system_host()),
            "machine.slice /machine.slice/libpod-abc.scope");
  EXPECT_EQ(place("kubepods-burstable-pod1.slice:cri:x", system_host()),
            "kubepods-burstable-pod1.slice /kubepods.slice/kubepods-burstable.slice/"
            "kubepods-burstable-pod1.slice/cri-x.scope");
  EXPECT_EQ(place(":docker:x", system_host()), "system.slice /system.slice/docker-x.scope");
  EXPECT_EQ(place("-:a:x", system_host()), "-.slice /a-x.scope");
  EXPECT_EQ(place("-.slice:a:x", system_host()), "-.slice /a-x.scope");
  EXPECT_EQ(place("a.slice::x", system_host()), "a.slice /a.slice/x.scope");
  EXPECT_EQ(place("a.slice::cpu", system_host()), "a.slice /a.slice/_cpu.scope");
  EXPECT_EQ(place("", system_host(), "a+b"), "system.slice /system.slice/berth-a\\x2bb.scope");
}

TEST(Unit, RefusesWhatSystemdCannotName) {
  constexpr const char* kFormat =
      "/linux/cgroupsPath: expected cgroupsPath to be of format \"slice:prefix:name\" for systemd "
      "cgroups, got ";
  EXPECT_EQ(place("/a/b", system_host()), kFormat + std::string("\"/a/b\" instead"));
  EXPECT_EQ(place("a:b", system_host()), kFormat + std::string("\"a:b\" instead"));
  EXPECT_EQ(place("a:b:c:d", system_host()), kFormat + std::string("\"a:b:c:d\" instead"));
  for (const char* slice : {"machine", "a/b.slice", "../a.slice", "-a.slice", "a-.slice",
                            "a--b.slice", ".slice", "a b.slice"}) {
    EXPECT_TRUE(place(slice + std::string(":p:n"), system_host())
                    .contains(std::string("\"") + slice + "\" is not the name of a slice"))
        << slice;
  }
  EXPECT_TRUE(place("a.slice:p:", system_host()).contains("name is empty"));
  EXPECT_TRUE(place("a.slice:p:b.slice", system_host()).contains("is a slice"));
  EXPECT_TRUE(
      place("a.slice:p:" + std::string(250, 'n'), system_host()).contains("systemd allows 255"));
}

std::string property_of(const std::string& name, const std::string& text) {
  spec::Spec spec;
  spec.annotations = {{"org.systemd.property." + name, text}, {"other", "x"}};
  const Result<UnitPlan> unit = plan_unit(spec, system_host(), {.id = "box"});
  if (!unit) return "refused: " + unit.error().pointer();
  if (unit->properties.size() != 1) return "none";
  const UnitProperty& property = unit->properties.front();
  return property.name + " " + property.value.type + " " + std::to_string(property.value.number) +
         property.value.text;
}

TEST(Unit, AnnotationsAreProperties) {
  EXPECT_EQ(property_of("TimeoutStopUSec", "uint64 12345"), "TimeoutStopUSec t 12345");
  EXPECT_EQ(property_of("TimeoutStopSec", "12"), "TimeoutStopUSec t 12000000");
  EXPECT_EQ(property_of("TimeoutStopSec", "1.5"), "TimeoutStopUSec t 1500000");
  EXPECT_EQ(property_of("DefaultDependencies", "true"), "DefaultDependencies b 1");
  EXPECT_EQ(property_of("Description", "'a b'"), "Description s 0a b");
}

// A container's config is no way to have the host rebooted.
TEST(Unit, RefusesPropertiesThatAreNotTheContainers) {
  const std::string refused = "refused: /annotations/org.systemd.property.";
  for (const char* name :
       {"SuccessAction", "FailureAction", "JobTimeoutAction", "StartLimitAction", "PIDs", "Slice",
        "Delegate", "BPFProgram", "DevicePolicy", "DeviceAllow", "CollectMode"})
    EXPECT_EQ(property_of(name, "'x'"), refused + name);
  for (const char* name : {"ab", "A-B", "", "Memory Max", "Caf\xc3\xa9"})
    EXPECT_EQ(property_of(name, "'x'"), refused + name);
  EXPECT_EQ(property_of("TimeoutStopSec", "'x'"), refused + "TimeoutStopSec");
  EXPECT_EQ(property_of("TimeoutStopSec", "-1"), refused + "TimeoutStopSec");
  EXPECT_EQ(property_of("Description", "a b"), refused + "Description");
}

std::string properties(std::vector<CgroupWrite> writes, int version = 252, CpuQuota now = {}) {
  std::string text;
  for (const UnitProperty& property : unit_properties(writes, version, now)) {
    text += (text.empty() ? "" : " ") + property.name + "=";
    if (property.value.type == "ay") {
      for (const BusValue& byte : property.value.items) text += std::to_string(byte.number) + ",";
    } else if (property.value.type == "s") {
      text += property.value.text;
    } else {
      text +=
          property.value.number == UINT64_MAX ? "infinity" : std::to_string(property.value.number);
    }
  }
  return text;
}

CgroupWrite write(const char* file, const char* value) { return {.file = file, .value = value}; }

TEST(UnitProperties, Table) {
  struct Row {
    const char* file;
    const char* value;
    const char* properties;
  };
  const Row kRows[] = {
      {"memory.max", "1048576", "MemoryMax=1048576"},
      {"memory.max", "max", "MemoryMax=infinity"},
      {"memory.high", "4096", "MemoryHigh=4096"},
      {"memory.high", "32M", "MemoryHigh=33554432"},
      {"memory.max", "1g", "MemoryMax=1073741824"},
      {"memory.max", "99E", ""},
      {"memory.low", "4096", "MemoryLow=4096"},
      {"memory.min", "4096", "MemoryMin=4096"},
      {"memory.swap.max", "0", "MemorySwapMax=0"},
      {"pids.max", "10", "TasksMax=10"},
      {"pids.max", "max", "TasksMax=infinity"},
      {"cpu.weight", "59", "CPUWeight=59"},
      {"cpu.idle", "1", "CPUWeight=0"},
      {"cpu.idle", "0", "CPUWeight=infinity"},
      {"cpuset.cpus", "0-2,9", "AllowedCPUs=7,2,"},
      {"cpuset.mems", "0", "AllowedMemoryNodes=1,"},
      {"cpu.max", "50000 100000", "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=500000"},
      {"cpu.max", "max", "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=infinity"},
      {"cpu.max", "33333 100000", "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=340000"},
      {"memory.limit_in_bytes", "4096", "MemoryLimit=4096"},
      {"memory.limit_in_bytes", "-1", "MemoryLimit=infinity"},
      {"cpu.shares", "512", "CPUShares=512"},
      {"blkio.bfq.weight", "100", "BlockIOWeight=100"},
      {"cpu.cfs_quota_us", "50000", "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=500000"},
      {"hugetlb.2MB.max", "4096", ""},
      {"io.max", "8:0 rbps=1", ""},
      {"memory.max", "much", ""},
      {"cpuset.cpus", "2-1", ""},
      {"cpuset.cpus", "999999999", ""},
  };
  for (const Row& row : kRows)
    EXPECT_EQ(properties({write(row.file, row.value)}), row.properties)
        << row.file << " " << row.value;
}

TEST(UnitProperties, AreOnlyWhatTheVersionKnows) {
  EXPECT_EQ(properties({write("cpuset.cpus", "0")}, 243), "");
  EXPECT_EQ(properties({write("cpu.idle", "1")}, 251), "");
  EXPECT_EQ(properties({write("memory.oom.group", "1")}, 252), "");
  EXPECT_EQ(properties({write("memory.oom.group", "1")}, 253), "OOMPolicy=kill");
  EXPECT_EQ(properties({write("cpu.max", "50000 100000")}, 241), "CPUQuotaPerSecUSec=500000");
}

TEST(UnitProperties, CompleteAHalf) {
  const CpuQuota now = {.quota = 20000, .period = 50000};
  EXPECT_EQ(properties({write("cpu.max", "10000")}, 252, now),
            "CPUQuotaPeriodUSec=50000 CPUQuotaPerSecUSec=200000");
  EXPECT_EQ(properties({write("cpu.cfs_period_us", "100000")}, 252, now),
            "CPUQuotaPeriodUSec=100000 CPUQuotaPerSecUSec=200000");
  EXPECT_EQ(properties({write("memory.max", "1")}, 252, now), "MemoryMax=1");
  // Of the same property the last write counts, as in the cgroup.
  EXPECT_EQ(properties({write("cpu.idle", "0"), write("cpu.weight", "7")}), "CPUWeight=7");
}

std::string shown(const BusValue& value) {
  if (value.type == "s" || value.type == "o") return "'" + value.text + "'";
  if (value.type == "d") return std::to_string(value.real);
  if (value.items.empty() && value.type.front() != 'a')
    return std::to_string(static_cast<int64_t>(value.number));
  std::string text;
  for (const BusValue& item : value.items) text += (text.empty() ? "" : " ") + shown(item);
  return "[" + text + "]";
}

TEST(BusValueText, Table) {
  struct Row {
    const char* text;
    const char* type;
    const char* value;
  };
  const Row kRows[] = {
      {"true", "b", "1"},
      {"boolean false", "b", "0"},
      {"5", "i", "5"},
      {"-5", "i", "-5"},
      {"0x10", "i", "16"},
      {"uint64 18446744073709551615", "t", "-1"},
      {"byte 255", "y", "255"},
      {"int64 -9223372036854775808", "x", "-9223372036854775808"},
      {"1.5", "d", "1.500000"},
      {"double 2", "d", "2.000000"},
      {"'a'", "s", "'a'"},
      {"\"it's\"", "s", "'it's'"},
      {"'a\\'b\\\\'", "s", "'a'b\\'"},
      {"objectpath '/a'", "o", "'/a'"},
      {"['a', 'b']", "as", "['a' 'b']"},
      {"@as []", "as", "[]"},
      {"[uint64 1, uint64 2]", "at", "[1 2]"},
      {"@at [1, 2]", "at", "[1 2]"},
      {"[('a', true), ('b', false)]", "a(sb)", "[['a' 1] ['b' 0]]"},
      {"('a',)", "(s)", "['a']"},
      {"<'a'>", "v", "['a']"},
      {"  7  ", "i", "7"},
  };
  for (const Row& row : kRows) {
    const Result<BusValue> value = parse_bus_value(row.text);
    ASSERT_TRUE(value) << row.text << ": " << value.error().message();
    EXPECT_EQ(value->type, row.type) << row.text;
    EXPECT_EQ(shown(*value), row.value) << row.text;
  }
}

TEST(BusValueText, RefusesTheRest) {
  for (const char* text : {"",
                           "word",
                           "[]",
                           "[1, 'a']",
                           "[1",
                           "'a",
                           "(1",
                           "()",
                           "<1",
                           "byte 256",
                           "byte -1",
                           "uint64 -1",
                           "int32 2147483648",
                           "1 2",
                           "uint64 'a'",
                           "@as 5",
                           "@z 1",
                           "{'a': 1}",
                           "1.5x",
                           "0xzz",
                           "@at ['a']",
                           "+",
                           "-"})
    EXPECT_FALSE(parse_bus_value(text)) << text;
  EXPECT_FALSE(parse_bus_value(std::string(100, '[')));
}

}  // namespace
}  // namespace berth::plan
