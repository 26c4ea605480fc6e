// SPDX-License-Identifier: Apache-2.0
// Each field of linux.resources: what is written on v1 and on v2.
#include <gtest/gtest.h>

#include <functional>
#include <span>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

using Fill = std::function<void(spec::Resources&)>;

// "file=value", with "?" in front when the file may be missing, and "|other=value" for what is
// written instead.
std::string text_of(const Result<std::vector<CgroupWrite>>& writes) {
  if (!writes) return "error " + writes.error().pointer();
  std::string text;
  for (const CgroupWrite& write : *writes) {
    if (!text.empty()) text += "; ";
    text += (write.if_exists ? "?" : "") + write.file + "=" + write.value;
    if (!write.else_file.empty()) text += "|" + write.else_file + "=" + write.else_value;
    EXPECT_TRUE(write.pointer.starts_with("/linux/resources/")) << write.pointer;
    EXPECT_TRUE(write.controller.empty() || write.file.starts_with(write.controller) ||
                write.controller == "net_cls")
        << write.file;
  }
  return text;
}

struct Row {
  const char* name;
  Fill fill;
  const char* v1;
  const char* v2;
  size_t warnings_v1 = 0;
  size_t warnings_v2 = 0;
};

spec::MemoryResources& memory(spec::Resources& r) {
  return r.memory ? *r.memory : r.memory.emplace();
}
spec::CpuResources& cpu(spec::Resources& r) { return r.cpu ? *r.cpu : r.cpu.emplace(); }
spec::BlockIoResources& io(spec::Resources& r) {
  return r.block_io ? *r.block_io : r.block_io.emplace();
}
spec::NetworkResources& network(spec::Resources& r) {
  return r.network ? *r.network : r.network.emplace();
}

const Row kMemory[] = {
    {"nothing", [](auto&) {}, "", ""},
    {"zeros",
     [](auto& r) {
       memory(r).limit = 0;
       memory(r).swap = 0;
       cpu(r).shares = 0;
       cpu(r).quota = 0;
       cpu(r).period = 0;
       io(r).weight = 0;
     },
     "", ""},
    {"limit", [](auto& r) { memory(r).limit = 4096; }, "memory.limit_in_bytes=4096",
     "memory.max=4096"},
    {"no limit", [](auto& r) { memory(r).limit = -1; },
     "memory.limit_in_bytes=-1; ?memory.memsw.limit_in_bytes=-1",
     "?memory.swap.max=max; memory.max=max"},
    {"swap",
     [](auto& r) {
       memory(r).limit = 4096;
       memory(r).swap = 12288;
     },
     "memory.limit_in_bytes=4096; memory.memsw.limit_in_bytes=12288",
     "memory.swap.max=8192; memory.max=4096"},
    {"no swap",
     [](auto& r) {
       memory(r).limit = 4096;
       memory(r).swap = 4096;
     },
     "memory.limit_in_bytes=4096; memory.memsw.limit_in_bytes=4096",
     "?memory.swap.max=0; memory.max=4096"},
    {"swap without limit",
     [](auto& r) {
       memory(r).limit = 4096;
       memory(r).swap = -1;
     },
     "memory.limit_in_bytes=4096; ?memory.memsw.limit_in_bytes=-1",
     "?memory.swap.max=max; memory.max=4096"},
    {"swap alone", [](auto& r) { memory(r).swap = 4096; }, "error /linux/resources/memory/swap",
     "error /linux/resources/memory/swap"},
    {"swap below memory",
     [](auto& r) {
       memory(r).limit = 8192;
       memory(r).swap = 4096;
     },
     "error /linux/resources/memory/swap", "error /linux/resources/memory/swap"},
    {"reservation", [](auto& r) { memory(r).reservation = 4096; },
     "memory.soft_limit_in_bytes=4096", "memory.low=4096"},
    {"kernel", [](auto& r) { memory(r).kernel = 4096; }, "", "", 1, 1},
    {"kernelTCP", [](auto& r) { memory(r).kernel_tcp = 4096; },
     "memory.kmem.tcp.limit_in_bytes=4096", "", 0, 1},
    {"swappiness", [](auto& r) { memory(r).swappiness = 0; }, "memory.swappiness=0", "", 0, 1},
    {"swappiness 101", [](auto& r) { memory(r).swappiness = 101; },
     "error /linux/resources/memory/swappiness", "error /linux/resources/memory/swappiness"},
    {"disableOOMKiller", [](auto& r) { memory(r).disable_oom_killer = true; },
     "memory.oom_control=1", "", 0, 1},
    {"disableOOMKiller false", [](auto& r) { memory(r).disable_oom_killer = false; }, "", ""},
    {"useHierarchy", [](auto& r) { memory(r).use_hierarchy = true; }, "", ""},
    {"useHierarchy false", [](auto& r) { memory(r).use_hierarchy = false; }, "", "", 1, 1},
};

const Row kCpu[] = {
    {"shares", [](auto& r) { cpu(r).shares = 512; }, "cpu.shares=512", "cpu.weight=59"},
    {"quota", [](auto& r) { cpu(r).quota = 50000; }, "cpu.cfs_quota_us=50000", "cpu.max=50000"},
    {"quota and period",
     [](auto& r) {
       cpu(r).quota = 50000;
       cpu(r).period = 200000;
     },
     "cpu.cfs_period_us=200000; cpu.cfs_quota_us=50000", "cpu.max=50000 200000"},
    {"no quota", [](auto& r) { cpu(r).quota = -1; }, "cpu.cfs_quota_us=-1", "cpu.max=max"},
    {"period", [](auto& r) { cpu(r).period = 200000; }, "cpu.cfs_period_us=200000",
     "cpu.max=max 200000"},
    {"burst",
     [](auto& r) {
       cpu(r).quota = 50000;
       cpu(r).burst = 100;
     },
     "cpu.cfs_burst_us=100; cpu.cfs_quota_us=50000", "cpu.max.burst=100; cpu.max=50000"},
    {"no burst", [](auto& r) { cpu(r).burst = 0; }, "?cpu.cfs_burst_us=0", "?cpu.max.burst=0"},
    {"realtime",
     [](auto& r) {
       cpu(r).realtime_runtime = 5;
       cpu(r).realtime_period = 10;
     },
     "cpu.rt_period_us=10; cpu.rt_runtime_us=5", "", 0, 2},
    {"idle", [](auto& r) { cpu(r).idle = 1; }, "cpu.idle=1", "cpu.idle=1"},
    {"idle with shares",
     [](auto& r) {
       cpu(r).idle = 1;
       cpu(r).shares = 2;
     },
     "cpu.shares=2; cpu.idle=1", "cpu.idle=1", 0, 1},
    {"no longer idle",
     [](auto& r) {
       cpu(r).idle = 0;
       cpu(r).shares = 1024;
     },
     "cpu.idle=0; cpu.shares=1024", "cpu.idle=0; cpu.weight=100"},
    {"sets",
     [](auto& r) {
       cpu(r).cpus = "0-1";
       cpu(r).mems = "0";
     },
     "cpuset.cpus=0-1; cpuset.mems=0", "cpuset.cpus=0-1; cpuset.mems=0"},
    {"pids", [](auto& r) { r.pids_limit = 7; }, "pids.max=7", "pids.max=7"},
    {"pids 0", [](auto& r) { r.pids_limit = 0; }, "pids.max=1", "pids.max=1"},
    {"pids -1", [](auto& r) { r.pids_limit = -1; }, "pids.max=max", "pids.max=max"},
};

const Row kDevicesAndRest[] = {
    {"weight", [](auto& r) { io(r).weight = 100; }, "blkio.bfq.weight=100|blkio.weight=100",
     "io.bfq.weight=100|io.weight=910"},
    {"lowest weight", [](auto& r) { io(r).weight = 10; }, "blkio.bfq.weight=10|blkio.weight=10",
     "io.bfq.weight=10|io.weight=1"},
    {"highest weight", [](auto& r) { io(r).weight = 1000; },
     "blkio.bfq.weight=1000|blkio.weight=1000", "io.bfq.weight=1000|io.weight=10000"},
    {"bad weight", [](auto& r) { io(r).weight = 9; }, "error /linux/resources/blockIO/weight",
     "error /linux/resources/blockIO/weight"},
    {"leafWeight", [](auto& r) { io(r).leaf_weight = 10; }, "blkio.leaf_weight=10", "", 0, 1},
    {"weightDevice",
     [](auto& r) {
       io(r).weight_device = {{.major = 8, .minor = 1, .weight = 10, .leaf_weight = 20}};
     },
     "blkio.bfq.weight_device=8:1 10|blkio.weight_device=8:1 10; blkio.leaf_weight_device=8:1 20",
     "io.bfq.weight=8:1 10|io.weight=8:1 1", 0, 1},
    {"read bps", [](auto& r) { io(r).throttle_read_bps = {{8, 0, 5}}; },
     "blkio.throttle.read_bps_device=8:0 5", "io.max=8:0 rbps=5"},
    {"write bps", [](auto& r) { io(r).throttle_write_bps = {{8, 0, 5}}; },
     "blkio.throttle.write_bps_device=8:0 5", "io.max=8:0 wbps=5"},
    {"read iops", [](auto& r) { io(r).throttle_read_iops = {{8, 0, 5}}; },
     "blkio.throttle.read_iops_device=8:0 5", "io.max=8:0 riops=5"},
    {"write iops", [](auto& r) { io(r).throttle_write_iops = {{8, 0, 0}}; },
     "blkio.throttle.write_iops_device=8:0 0", "io.max=8:0 wiops=max"},
    {"hugepages", [](auto& r) { r.hugepage_limits = {{"2MB", 9}}; },
     "?hugetlb.2MB.rsvd.limit_in_bytes=9; hugetlb.2MB.limit_in_bytes=9",
     "?hugetlb.2MB.rsvd.max=9; hugetlb.2MB.max=9"},
    {"bad page size", [](auto& r) { r.hugepage_limits = {{"../2MB", 9}}; },
     "error /linux/resources/hugepageLimits/0/pageSize",
     "error /linux/resources/hugepageLimits/0/pageSize"},
    {"network",
     [](auto& r) {
       network(r).class_id = 7;
       network(r).priorities = {{"eth0", 5}};
     },
     "net_cls.classid=7; net_prio.ifpriomap=eth0 5", "", 0, 2},
    {"rdma", [](auto& r) { r.rdma = {{"mlx5", 2, 3}, {"mlx6", {}, 4}}; },
     "rdma.max=mlx5 hca_handle=2 hca_object=3; rdma.max=mlx6 hca_object=4",
     "rdma.max=mlx5 hca_handle=2 hca_object=3; rdma.max=mlx6 hca_object=4"},
    {"unified",
     [](auto& r) {
       r.unified = {
           {"memory.high", "5"}, {"io.max", "8:0 rbps=1\n8:1 rbps=2\n"}, {"cgroup.max.depth", "3"}};
     },
     "error /linux/resources/unified",
     "memory.high=5; io.max=8:0 rbps=1; io.max=8:1 rbps=2; cgroup.max.depth=3"},
    {"unified path", [](auto& r) { r.unified = {{"../memory.high", "5"}}; },
     "error /linux/resources/unified", "error /linux/resources/unified/..~1memory.high"},
    {"unified word", [](auto& r) { r.unified = {{"memory", "5"}}; },
     "error /linux/resources/unified", "error /linux/resources/unified/memory"},
    {"unified of ours", [](auto& r) { r.unified = {{"cgroup.procs", "1"}}; },
     "error /linux/resources/unified", "error /linux/resources/unified/cgroup.procs"},
};

void check(std::span<const Row> rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    spec::Resources resources;
    row.fill(resources);
    std::vector<std::string> warnings_v1, warnings_v2;
    EXPECT_EQ(text_of(plan_cgroup_v1(resources, warnings_v1)), row.v1);
    EXPECT_EQ(text_of(plan_cgroup_v2(resources, warnings_v2)), row.v2);
    EXPECT_EQ(warnings_v1.size(), row.warnings_v1);
    EXPECT_EQ(warnings_v2.size(), row.warnings_v2);
    for (const std::string& warning : warnings_v2)
      EXPECT_TRUE(warning.starts_with("/linux/resources/")) << warning;
  }
}

TEST(CgroupResources, MemoryTable) { check(kMemory); }
TEST(CgroupResources, CpuTable) { check(kCpu); }
TEST(CgroupResources, DeviceTable) { check(kDevicesAndRest); }

TEST(CgroupResources, SharesToWeight) {
  const std::pair<uint64_t, const char*> kPairs[] = {
      {1, "1"},          {2, "1"},          {3, "2"},          {1024, "100"},
      {262143, "10000"}, {262144, "10000"}, {1000000, "10000"}};
  for (const auto& [shares, weight] : kPairs) {
    spec::Resources resources;
    cpu(resources).shares = shares;
    std::vector<std::string> warnings;
    EXPECT_EQ(plan_cgroup_v2(resources, warnings)->front().value, weight) << shares;
  }
}

TEST(CgroupResources, WeightToIoWeight) {
  const std::pair<uint16_t, const char*> kPairs[] = {{10, "1"},     {11, "11"},    {100, "910"},
                                                     {500, "4950"}, {999, "9989"}, {1000, "10000"}};
  for (const auto& [weight, io_weight] : kPairs) {
    spec::Resources resources;
    io(resources).weight = weight;
    std::vector<std::string> warnings;
    EXPECT_EQ(plan_cgroup_v2(resources, warnings)->front().else_value, io_weight) << weight;
  }
}

// An update below the usage is refused where the kernel would kill; force does not ask.
TEST(CgroupUpdate, MakesRoomUnlessForced) {
  spec::Resources resources;
  memory(resources).limit = 4096;
  memory(resources).check_before_update = true;
  std::vector<std::string> warnings;
  const auto room = [&](bool v2, bool force) {
    const CgroupWrite write = plan_update_writes(resources, v2, force, warnings)->front();
    return std::pair(write.make_room, write.not_below);
  };
  EXPECT_EQ(room(true, false), std::pair(true, std::string("memory.current")));
  EXPECT_EQ(room(true, true), std::pair(false, std::string()));
  EXPECT_EQ(room(false, false), std::pair(false, std::string()));
}

TEST(CgroupUpdate, UnifiedMakesRoomToo) {
  spec::Resources resources;
  resources.unified = {{"memory.high", "1"}, {"memory.max", "64M"}};
  std::vector<std::string> warnings;
  const std::vector<CgroupWrite> writes = *plan_update_writes(resources, true, false, warnings);
  EXPECT_FALSE(writes[0].make_room);
  EXPECT_TRUE(writes[1].make_room);
}

// What a new cgroup has anyway must be written to one that was told otherwise.
TEST(CgroupUpdate, GivesBackTheOutOfMemoryKiller) {
  spec::Resources resources;
  memory(resources).disable_oom_killer = false;
  std::vector<std::string> warnings;
  EXPECT_EQ(text_of(plan_update_writes(resources, false, false, warnings)), "memory.oom_control=0");
  EXPECT_EQ(text_of(plan_update_writes(resources, true, false, warnings)), "");
}

TEST(CgroupResources, ChecksUsageOnlyWhenAsked) {
  spec::Resources resources;
  memory(resources).limit = 4096;
  std::vector<std::string> warnings;
  EXPECT_EQ(plan_cgroup_v2(resources, warnings)->front().not_below, "");
  memory(resources).check_before_update = true;
  EXPECT_EQ(plan_cgroup_v2(resources, warnings)->front().not_below, "memory.current");
}

TEST(CgroupResources, OrderOfPairsMayTurn) {
  spec::Resources resources;
  memory(resources).limit = 4096;
  cpu(resources).burst = 1;
  std::vector<std::string> warnings;
  const std::vector<CgroupWrite> writes = *plan_cgroup_v1(resources, warnings);
  for (const CgroupWrite& write : writes) EXPECT_TRUE(write.retry_last) << write.file;
}

}  // namespace
}  // namespace berth::plan
