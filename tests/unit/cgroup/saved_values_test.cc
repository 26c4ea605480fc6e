// SPDX-License-Identifier: Apache-2.0
#include "cgroup/saved_values.h"

#include <gtest/gtest.h>

#include "cgroup/room.h"
#include "cgroup/usage.h"

namespace berth::cgroup {
namespace {

constexpr const char* kNothing = "(nothing)";

TEST(SavedValues, UndoingValueTable) {
  struct Row {
    const char *file, *value, *now, *undo;
  };
  const Row rows[] = {
      {"memory.max", "4096", "max\n", "max"},
      {"cpu.max", "5000 10000", "max 100000\n", "max 100000"},
      {"cpuset.cpus", "0", "\n", ""},
      {"cpu.weight", "50", "100\n", "100"},
      {"cpu.weight", "50", "0\n", kNothing},
      {"memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 3\n", "0"},
      {"memory.oom_control", "0", "oom_kill_disable 1\nunder_oom 0\noom_kill 3\n", "1"},
      {"memory.pressure", "some 1 2", "some avg10=0\nfull avg10=0\n", kNothing},
      // A line for each device.
      {"io.max", "8:0 rbps=5", "", "8:0 rbps=max wbps=max riops=max wiops=max"},
      {"io.max", "8:0 rbps=5", "18:0 rbps=1\n8:0 rbps=max wbps=7 riops=max wiops=max\n",
       "8:0 rbps=max wbps=7 riops=max wiops=max"},
      {"io.weight", "300", "default 100\n8:0 200\n", "default 100"},
      {"io.bfq.weight", "300", "100\n", "100"},
      {"io.bfq.weight", "8:0 300", "default 100\n8:0 200\n", "8:0 200"},
      {"io.weight", "8:0 300", "default 100\n", "8:0 default"},
      {"io.latency", "8:0 target=5", "", "8:0 target=0"},
      {"blkio.bfq.weight", "300", "100\n", "100"},
      {"blkio.bfq.weight_device", "8:0 300", "default 100\n", "8:0 default"},
      {"blkio.throttle.read_bps_device", "8:0 5", "8:0 77\n", "8:0 77"},
      {"blkio.throttle.write_iops_device", "8:0 5", "8:16 77\n", "8:0 0"},
      {"net_prio.ifpriomap", "eth1 5", "lo 0\neth1 2\n", "eth1 2"},
      {"rdma.max", "mlx5 hca_handle=2", "mlx5 hca_handle=max hca_object=9\n",
       "mlx5 hca_handle=max hca_object=9"},
      {"misc.max", "asids 5", "", kNothing},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(undoing_value(row.file, row.value, row.now).value_or(kNothing), row.undo)
        << row.file << " " << row.value;
  }
}

TEST(Usage, FilesTable) {
  struct Row {
    const char *limit, *usage, *peak;
  };
  const Row rows[] = {
      {"memory.max", "memory.current", "memory.peak"},
      {"memory.high", "memory.current", "memory.peak"},
      {"memory.swap.max", "memory.swap.current", "memory.swap.peak"},
      {"pids.max", "pids.current", "pids.peak"},
      {"hugetlb.2MB.max", "hugetlb.2MB.current", "hugetlb.2MB.peak"},
      {"memory.limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes"},
      {"memory.soft_limit_in_bytes", "memory.usage_in_bytes", "memory.max_usage_in_bytes"},
      {"memory.memsw.limit_in_bytes", "memory.memsw.usage_in_bytes",
       "memory.memsw.max_usage_in_bytes"},
      {"hugetlb.2MB.rsvd.limit_in_bytes", "hugetlb.2MB.rsvd.usage_in_bytes",
       "hugetlb.2MB.rsvd.max_usage_in_bytes"},
      {"cpu.max", "", ""},
      {"io.max", "", ""},
      {"cpu.weight", "", ""},
  };
  for (const Row& row : rows)
    EXPECT_EQ(usage_files(row.limit), (UsageFiles{row.usage, row.peak})) << row.limit;
}

TEST(Room, BytesTable) {
  const std::pair<const char*, std::optional<uint64_t>> rows[] = {
      {"0", 0},
      {"4096\n", 4096},
      {"64K", 64 << 10},
      {"64m", 64 << 20},
      {"3G", 3ull << 30},
      {"max", UINT64_MAX},
      {"-1", {}},
      {"64MB", {}},
      {"", {}},
      {"99999999999999999999", {}},
      {"9999999999t", UINT64_MAX},
  };
  for (const auto& [text, bytes] : rows) EXPECT_EQ(memory_bytes(text), bytes) << text;
}

}  // namespace
}  // namespace berth::cgroup
