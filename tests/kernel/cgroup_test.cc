// SPDX-License-Identifier: Apache-2.0
// Real cgroups below a directory of our own, on v1 (with the unified hierarchy where there is one)
// as the machine is, and on v2 in a private mount namespace. Needs root.
#include <errno.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "berth/try.h"
#include "cgroup/layout.h"
#include "cgroup/manager.h"
#include "os/process.h"

namespace berth::cgroup {
namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

plan::HostFacts facts() {
  plan::HostFacts found;
  EXPECT_TRUE(gather_layout(found));
  return found;
}

std::string parent_name() { return "/berth-test-" + std::to_string(::getpid()); }

std::vector<plan::CgroupPlace> places(const std::string& path) {
  std::vector<plan::CgroupPlace> made;
  for (const plan::CgroupHierarchy& each : facts().hierarchies)
    made.push_back({each.controllers, each.mountpoint, path, each.is_v2});
  return made;
}

std::unique_ptr<CgroupManager> manager(const std::string& path) {
  auto made = make_manager(plan::CgroupDriver::Filesystem, places(path), false);
  EXPECT_TRUE(made) << made.error().message();
  return *std::move(made);
}

#define ASSERT_OK(expression)                          \
  do {                                                 \
    auto result_ = (expression);                       \
    ASSERT_TRUE(result_) << result_.error().message(); \
  } while (false)

// Where the directories of `path` are.
std::vector<fs::path> directories(const std::string& path) {
  std::vector<fs::path> all;
  for (const plan::CgroupPlace& place : places(path)) all.push_back(place.mountpoint + place.path);
  return all;
}

size_t existing(const std::string& path) {
  size_t count = 0;
  for (const fs::path& each : directories(path)) count += fs::exists(each);
  return count;
}

bool in_cgroup(pid_t process, const std::string& path) {
  const std::string text = text_of("/proc/" + std::to_string(process) + "/cgroup");
  size_t hits = 0;
  for (size_t at = text.find(path); at != text.npos; at = text.find(path, at + 1)) ++hits;
  return hits == places(path).size();
}

// A child that enters as init will, then runs `body` and waits to be killed.
class Child {
 public:
  explicit Child(const CgroupManager& manager, const std::function<void()>& body = [] {}) {
    int ready[2];
    EXPECT_EQ(::pipe2(ready, O_CLOEXEC), 0);
    int pidfd = -1;
    pid_ = os::clone_child({.cgroup = manager.clone_target()}, &pidfd);
    EXPECT_GE(pid_, 0) << strerror(-pid_);
    if (pid_ == 0) {
      for (const int tasks : manager.task_files()) {
        if (::write(tasks, "0", 1) != 1) ::_exit(1);
      }
      body();
      (void)!::write(ready[1], "x", 1);
      for (;;) ::pause();
    }
    pidfd_.reset(pidfd);
    ::close(ready[1]);
    char byte = 0;
    EXPECT_EQ(::read(ready[0], &byte, 1), 1);
    ::close(ready[0]);
  }
  ~Child() {
    if (pid_ <= 0) return;
    if (!reaped_) ::kill(pid_, SIGKILL);
    wait();
  }
  pid_t pid() const { return pid_; }
  int wait() {
    if (!reaped_) ::waitpid(pid_, &status_, 0);
    reaped_ = true;
    return status_;
  }
  bool alive() const {
    pollfd end = {pidfd_.get(), POLLIN, 0};
    return ::poll(&end, 1, 0) == 0;
  }

 private:
  pid_t pid_ = -1;
  os::UniqueFd pidfd_;
  int status_ = 0;
  bool reaped_ = false;
};

// The same cases on both versions.
void lifecycle() {
  const std::string path = parent_name() + "/life";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  EXPECT_EQ(existing(path), places(path).size());
  EXPECT_TRUE(*cgroup->exists());
  {
    Child child(*cgroup);
    EXPECT_TRUE(in_cgroup(child.pid(), path))
        << text_of("/proc/" + std::to_string(child.pid()) + "/cgroup");
    EXPECT_EQ(*cgroup->processes(), std::vector<pid_t>{child.pid()});
    auto removed = cgroup->destroy();
    ASSERT_FALSE(removed);
    EXPECT_EQ(removed.error().kind(), ErrorKind::WrongState) << removed.error().message();
  }
  EXPECT_TRUE(cgroup->processes()->empty());
  ASSERT_OK(manager(path)->destroy());
  ASSERT_OK(manager(path)->destroy());
  EXPECT_EQ(existing(path), 0u);
  EXPECT_FALSE(*manager(path)->exists());
}

void adds_a_process() {
  const std::string path = parent_name() + "/add";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  auto nowhere = make_manager(plan::CgroupDriver::Disabled, {}, false);
  Child child(**nowhere);
  ASSERT_OK(cgroup->add(child.pid()));
  EXPECT_TRUE(in_cgroup(child.pid(), path));
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  child.wait();
  ASSERT_OK(cgroup->destroy());
}

void freezes_and_kills() {
  const std::string path = parent_name() + "/freeze";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  Child child(*cgroup);
  ASSERT_OK(cgroup->set(Freezer::Frozen));
  EXPECT_EQ(*cgroup->freezer(), Freezer::Frozen);
  ASSERT_OK(cgroup->set(Freezer::Thawed));
  EXPECT_EQ(*cgroup->freezer(), Freezer::Thawed);
  ASSERT_OK(cgroup->set(Freezer::Frozen));
  auto again = manager(path)->create({});
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message().find("cgroup is not empty"), std::string::npos)
      << again.error().message();
  ASSERT_OK(manager(path)->kill_all(SIGKILL));
  EXPECT_EQ(WTERMSIG(child.wait()), SIGKILL);
  ASSERT_OK(cgroup->destroy());
  EXPECT_EQ(existing(path), 0u);
}

void refuses_frozen() {
  const std::string path = parent_name() + "/ice";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  ASSERT_OK(cgroup->set(Freezer::Frozen));
  auto again = manager(path)->create({});
  ASSERT_FALSE(again);
  EXPECT_NE(again.error().message().find("cgroup is frozen"), std::string::npos)
      << again.error().message();
  EXPECT_EQ(existing(path), places(path).size()) << "what was there must stay";
  auto below = manager(path + "/below")->create({});
  ASSERT_FALSE(below);
  EXPECT_EQ(existing(path + "/below"), 0u);
  ASSERT_OK(cgroup->set(Freezer::Thawed));
  ASSERT_OK(manager(path)->create({}));
  ASSERT_OK(cgroup->destroy());
}

void kills_nested() {
  const std::string path = parent_name() + "/nest";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  // Before the inner one: it would enable controllers, and a cgroup that gives those on can not
  // hold processes itself.
  Child outside(*cgroup);
  auto inner = manager(path + "/a/b");
  ASSERT_OK(inner->create({}));
  Child inside(*inner);
  std::vector<pid_t> expected = {outside.pid(), inside.pid()};
  std::ranges::sort(expected);
  EXPECT_EQ(*cgroup->processes(), expected);
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  EXPECT_EQ(WTERMSIG(outside.wait()), SIGKILL);
  EXPECT_EQ(WTERMSIG(inside.wait()), SIGKILL);
  ASSERT_OK(cgroup->destroy());
  EXPECT_EQ(existing(path), 0u);
  EXPECT_EQ(existing(parent_name()), places(parent_name()).size()) << "parents are left";
}

void other_signals_reach_all() {
  const std::string path = parent_name() + "/term";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  Child child(*cgroup);
  ASSERT_OK(cgroup->kill_all(SIGTERM));
  EXPECT_EQ(WTERMSIG(child.wait()), SIGTERM);
  ASSERT_OK(cgroup->destroy());
}

plan::DeviceRulePlan rule(char type, int64_t major, int64_t minor, bool allow) {
  return {type, major, minor, true, true, true, allow};
}

void limits_devices() {
  const std::string path = parent_name() + "/devices";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  const plan::DeviceRulePlan zero[] = {rule('a', -1, -1, false), rule('c', 1, 5, true)};
  ASSERT_OK(cgroup->apply_devices(zero));
  const auto opens = [&](const char* device) {
    int status = 0;
    int pidfd = -1;
    const pid_t child = os::clone_child({.cgroup = cgroup->clone_target()}, &pidfd);
    if (child == 0) {
      for (const int tasks : cgroup->task_files()) (void)!::write(tasks, "0", 1);
      ::_exit(::open(device, O_RDONLY) < 0 ? errno : 0);
    }
    ::close(pidfd);
    ::waitpid(child, &status, 0);
    return WEXITSTATUS(status);
  };
  EXPECT_EQ(opens("/dev/zero"), 0);
  EXPECT_EQ(opens("/dev/full"), EPERM);
  const plan::DeviceRulePlan both[] = {rule('a', -1, -1, false), rule('c', 1, 5, true),
                                       rule('c', 1, 7, true)};
  ASSERT_OK(manager(path)->apply_devices(both));
  EXPECT_EQ(opens("/dev/full"), 0);
  const plan::DeviceRulePlan all_but[] = {rule('a', -1, -1, true), rule('c', 1, 7, false)};
  ASSERT_OK(manager(path)->apply_devices(all_but));
  EXPECT_EQ(opens("/dev/full"), EPERM);
  EXPECT_EQ(opens("/dev/zero"), 0);
  ASSERT_OK(manager(path)->apply_devices(zero));
  EXPECT_EQ(opens("/dev/full"), EPERM);
  ASSERT_OK(cgroup->destroy());
}

void missing_file_has_own_words() {
  const std::string path = parent_name() + "/words";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  const plan::CgroupWrite writes[] = {
      {.controller = "memory", .file = "memory.nothing", .value = "1", .pointer = "/x"}};
  auto done = cgroup->apply(writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().pointer(), "/x");
  EXPECT_EQ(done.error().message().find("No such file"), std::string::npos)
      << done.error().message();
  ASSERT_OK(cgroup->destroy());
}

void failed_create_leaves_nothing() {
  const std::string path = parent_name() + "/none/deep/er";
  plan::CgroupWrite write = {.controller = "berth_none", .file = "berth_none.max", .value = "1"};
  auto cgroup = manager(path);
  auto made = cgroup->create({&write, 1});
  if (made) {
    EXPECT_FALSE(cgroup->apply({&write, 1}));
    ASSERT_OK(cgroup->destroy());
    return;
  }
  EXPECT_EQ(existing(path), 0u);
  EXPECT_EQ(existing(parent_name() + "/none"), 0u);
}

// ---- v1
// ---------------------------------------------------------------------------------------------------------

bool is_v1() {
  return facts().cgroup_layout == plan::CgroupLayout::V1 ||
         facts().cgroup_layout == plan::CgroupLayout::Hybrid;
}

class CgroupV1 : public testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0 || !is_v1()) GTEST_SKIP() << "needs root and cgroup v1";
  }
  static void TearDownTestSuite() {
    if (::geteuid() == 0 && is_v1()) (void)manager(parent_name())->destroy();
    EXPECT_EQ(existing(parent_name()), 0u);
  }
  static fs::path directory(const std::string& controller, const std::string& path) {
    for (const plan::CgroupPlace& place : places(path)) {
      if (std::ranges::find(place.controllers, controller) != place.controllers.end())
        return place.mountpoint + place.path;
    }
    return {};
  }
};

TEST_F(CgroupV1, Lives) { lifecycle(); }
TEST_F(CgroupV1, AddsAProcess) { adds_a_process(); }
TEST_F(CgroupV1, FreezesAndKills) { freezes_and_kills(); }
TEST_F(CgroupV1, RefusesFrozen) { refuses_frozen(); }
TEST_F(CgroupV1, KillsNested) { kills_nested(); }
TEST_F(CgroupV1, SignalsAll) { other_signals_reach_all(); }
TEST_F(CgroupV1, LimitsDevices) { limits_devices(); }
TEST_F(CgroupV1, MissingFileHasOwnWords) { missing_file_has_own_words(); }
TEST_F(CgroupV1, FailedCreateLeavesNothing) { failed_create_leaves_nothing(); }

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
  EXPECT_EQ(stats->pids->first, 1u);
  EXPECT_GT(stats->memory->usage.limit, 0u);
  EXPECT_NE(stats->to_json().find("\"pids\":{\"current\":1}"), std::string::npos)
      << stats->to_json();
  ASSERT_OK(cgroup->kill_all(SIGKILL));
  child.wait();
  ASSERT_OK(cgroup->destroy());
}

// ---- v2
// ---------------------------------------------------------------------------------------------------------

bool enter_v2() {
  if (::unshare(CLONE_NEWNS) || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr))
    return false;
  return ::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
}

// The case in a child with cgroup2 mounted over /sys/fs/cgroup; its failures are on stderr.
void on_v2(const std::function<void()>& test) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter_v2()) ::_exit(2);
    if (facts().cgroup_layout != plan::CgroupLayout::V2) ::_exit(3);
    test();
    (void)manager(parent_name())->destroy();
    const bool clean = existing(parent_name()) == 0;
    ::_exit(testing::Test::HasFailure() ? 1 : clean ? 0 : 4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "exit " << WEXITSTATUS(status);
}

TEST(CgroupV2, Lives) { on_v2(lifecycle); }
TEST(CgroupV2, AddsAProcess) { on_v2(adds_a_process); }
TEST(CgroupV2, FreezesAndKills) { on_v2(freezes_and_kills); }
TEST(CgroupV2, RefusesFrozen) { on_v2(refuses_frozen); }
TEST(CgroupV2, KillsNested) { on_v2(kills_nested); }
TEST(CgroupV2, SignalsAll) { on_v2(other_signals_reach_all); }
TEST(CgroupV2, LimitsDevices) { on_v2(limits_devices); }
TEST(CgroupV2, MissingFileHasOwnWords) { on_v2(missing_file_has_own_words); }
TEST(CgroupV2, FailedCreateLeavesNothing) { on_v2(failed_create_leaves_nothing); }

TEST(CgroupV2, Delegates) {
  on_v2([] {
    const std::string path = parent_name() + "/owner";
    auto cgroup = manager(path);
    ASSERT_OK(cgroup->create({}));
    ASSERT_OK(cgroup->delegate(12345));
    struct stat status;
    ASSERT_EQ(::stat(("/sys/fs/cgroup" + path + "/cgroup.procs").c_str(), &status), 0);
    EXPECT_EQ(status.st_uid, 12345u);
    EXPECT_EQ(status.st_gid, 0u);
    ASSERT_OK(cgroup->destroy());
  });
}

TEST(CgroupV2, Counts) {
  on_v2([] {
    const std::string path = parent_name() + "/stats";
    auto cgroup = manager(path);
    ASSERT_OK(cgroup->create({}));
    auto stats = cgroup->stats();
    ASSERT_TRUE(stats) << stats.error().message();
    EXPECT_NE(stats->to_json().find("\"cpu\":{"), std::string::npos);
    ASSERT_OK(cgroup->destroy());
  });
}

TEST(Cgroup, RefusesPathsThatLeave) {
  for (const char* path : {"/../x", "/a/../../b", "relative", "/", "", "//a", "/a/"}) {
    std::vector<plan::CgroupPlace> bad = {{{}, "/sys/fs/cgroup", path, true}};
    EXPECT_FALSE(make_manager(plan::CgroupDriver::Filesystem, bad, false)) << path;
  }
}

TEST(Cgroup, RefusesWhatIsNoCgroupFilesystem) {
  auto cgroup =
      make_manager(plan::CgroupDriver::Filesystem, {{{}, "/tmp", "/berth-none", true}}, false);
  ASSERT_TRUE(cgroup);
  EXPECT_FALSE((*cgroup)->create({}));
  EXPECT_FALSE(fs::exists("/tmp/berth-none"));
}

}  // namespace
}  // namespace berth::cgroup
