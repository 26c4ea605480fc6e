// SPDX-License-Identifier: Apache-2.0
// What only v1 has, on the machine's own hierarchies. Needs root.
#include <sys/mman.h>

#include "cgroup_support.h"

namespace berth::cgroup::testing {
namespace {

TEST_F(CgroupV1, WritesAreReadBack) {
  const std::string path = parent_name() + "/writes";
  auto cgroup = manager(path);
  const plan::CgroupWrite writes[] = {
      {.controller = "memory",
       .file = "memory.limit_in_bytes",
       .value = "16777216",
       .retry_last = true},
      {.controller = "memory",
       .file = "memory.memsw.limit_in_bytes",
       .value = "33554432",
       .if_exists = true},
      {.controller = "pids", .file = "pids.max", .value = "17"},
      {.controller = "cpu",
       .file = "cpu.berth_none",
       .value = "1",
       .else_file = "cpu.shares",
       .else_value = "512"},
  };
  ASSERT_OK(cgroup->create(writes));
  ASSERT_OK(cgroup->apply(writes));
  EXPECT_EQ(text_of(directory("memory", path) / "memory.limit_in_bytes"), "16777216\n");
  EXPECT_EQ(text_of(directory("pids", path) / "pids.max"), "17\n");
  EXPECT_EQ(text_of(directory("cpu", path) / "cpu.shares"), "512\n");
  // Above the old memsw: invalid at first, accepted once memsw has grown.
  const plan::CgroupWrite grown[] = {
      {.controller = "memory",
       .file = "memory.limit_in_bytes",
       .value = "67108864",
       .retry_last = true},
      {.controller = "memory",
       .file = "memory.memsw.limit_in_bytes",
       .value = "134217728",
       .if_exists = true},
  };
  ASSERT_OK(cgroup->apply(grown));
  EXPECT_EQ(text_of(directory("memory", path) / "memory.limit_in_bytes"), "67108864\n");
  ASSERT_OK(cgroup->destroy());
}

TEST_F(CgroupV1, RejectedLimitTellsTheUsage) {
  const std::string path = parent_name() + "/usage";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  Child child(*cgroup, [] {
    constexpr size_t kSize = 8 << 20;
    auto* memory = static_cast<char*>(
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t at = 0; at < kSize; at += 4096) memory[at] = 1;
    ::mlock(memory, kSize);
  });
  const plan::CgroupWrite write = {.controller = "memory",
                                   .file = "memory.limit_in_bytes",
                                   .value = "4096",
                                   .pointer = "/linux/resources/memory/limit"};
  auto done = cgroup->apply({&write, 1});
  ASSERT_FALSE(done);
  const std::string message = done.error().message();
  EXPECT_TRUE(message.starts_with(
      "write 4096 to memory.limit_in_bytes: Device or resource busy (current usage: "))
      << message;
  EXPECT_NE(message.find("/linux/resources/memory/limit"), std::string::npos) << message;
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  child.wait();
  ASSERT_OK(cgroup->destroy());
}

TEST_F(CgroupV1, GivesNewParentsRealtime) {
  const std::string path = parent_name() + "/rt/a";
  if (!fs::exists(directory("cpu", "/") / "cpu.rt_runtime_us")) GTEST_SKIP() << "no RT_GROUP_SCHED";
  const plan::CgroupWrite write = {
      .controller = "cpu", .file = "cpu.rt_runtime_us", .value = "1000", .retry_last = true};
  // The directory that all tests share may be there already, without real-time.
  ASSERT_OK(manager(parent_name())->destroy());
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({&write, 1}));
  ASSERT_OK(cgroup->apply({&write, 1}));
  EXPECT_EQ(text_of(directory("cpu", path) / "cpu.rt_runtime_us"), "1000\n");
  ASSERT_OK(manager(parent_name())->destroy());
}

TEST_F(CgroupV1, CopiesCpusetsDown) {
  const std::string path = parent_name() + "/sets/a/b";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  EXPECT_EQ(text_of(directory("cpuset", path) / "cpuset.cpus"),
            text_of(directory("cpuset", "/") / "cpuset.cpus"));
  ASSERT_OK(manager(parent_name() + "/sets")->destroy());
}

TEST_F(CgroupV1, SignalsOutOfMemory) {
  const std::string path = parent_name() + "/oom";
  auto cgroup = manager(path);
  const plan::CgroupWrite writes[] = {
      {.controller = "memory", .file = "memory.limit_in_bytes", .value = "8388608"},
      {.controller = "memory", .file = "memory.swappiness", .value = "0"},
  };
  ASSERT_OK(cgroup->create(writes));
  ASSERT_OK(cgroup->apply(writes));
  auto event = cgroup->oom_fd();
  ASSERT_TRUE(event) << event.error().message();
  const os::UniqueFd fd(*event);
  pid_t child =
      os::clone_child({.cgroup = cgroup->clone_target()}, std::make_unique<int>(-1).get());
  if (child == 0) {
    for (const int tasks : cgroup->task_files()) (void)!::write(tasks, "0", 1);
    constexpr size_t kSize = 32 << 20;
    auto* memory = static_cast<char*>(
        ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    for (size_t at = 0; at < kSize; at += 4096) memory[at] = 1;
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  pollfd readable = {fd.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&readable, 1, 5000), 1);
  EXPECT_EQ(*cgroup->oom_kills(), 1u);
  ASSERT_OK(cgroup->destroy());
}

TEST_F(CgroupV1, Counts) {
  const std::string path = parent_name() + "/stats";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  Child child(*cgroup);
  auto stats = cgroup->stats();
  ASSERT_TRUE(stats);
  EXPECT_EQ(stats->pids->current, 1u);
  EXPECT_GT(stats->memory->usage.limit, 0u);
  EXPECT_NE(stats->to_json().find("\"pids\":{\"current\":1"), std::string::npos)
      << stats->to_json();
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  child.wait();
  ASSERT_OK(cgroup->destroy());
}

}  // namespace
}  // namespace berth::cgroup::testing
