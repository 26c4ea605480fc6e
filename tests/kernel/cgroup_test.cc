// SPDX-License-Identifier: Apache-2.0
// What holds on both versions, on v1 (with the unified hierarchy where there is one) as the machine
// is, and on v2 in a private mount namespace. Needs root.
#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "cgroup_support.h"

namespace berth::cgroup::testing {
namespace {

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
  auto nowhere = make_manager({.driver = plan::CgroupDriver::Disabled});
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
  EXPECT_NE(again.error().message().find("cgroup unexpectedly frozen"), std::string::npos)
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
  // Before the inner one, which enables nothing in a cgroup that holds processes.
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

TEST_F(CgroupV1, Lives) { lifecycle(); }
TEST_F(CgroupV1, AddsAProcess) { adds_a_process(); }
TEST_F(CgroupV1, FreezesAndKills) { freezes_and_kills(); }
TEST_F(CgroupV1, RefusesFrozen) { refuses_frozen(); }
TEST_F(CgroupV1, KillsNested) { kills_nested(); }
TEST_F(CgroupV1, SignalsAll) { other_signals_reach_all(); }
TEST_F(CgroupV1, LimitsDevices) { limits_devices(); }
TEST_F(CgroupV1, MissingFileHasOwnWords) { missing_file_has_own_words(); }
TEST_F(CgroupV1, FailedCreateLeavesNothing) { failed_create_leaves_nothing(); }

bool enter_v2() {
  if (::unshare(CLONE_NEWNS) || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr))
    return false;
  if (facts().cgroup_layout == plan::CgroupLayout::V2) return true;
  return ::mount("cgroup2", "/sys/fs/cgroup", "cgroup2", 0, nullptr) == 0;
}

bool enter_pure_v1() {
  if (::unshare(CLONE_NEWNS) || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr)) {
    return false;
  }
  ::umount2("/sys/fs/cgroup/unified", MNT_DETACH);
  return facts().cgroup_layout == plan::CgroupLayout::V1;
}

// The case in a child with its own cgroup mounts; its failures are on stderr.
void in_mount_namespace(bool (*enter)(), const std::function<void()>& test) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const pid_t child = ::fork();
  if (child == 0) {
    if (!enter()) ::_exit(2);
    test();
    (void)manager(parent_name())->destroy();
    const bool clean = existing(parent_name()) == 0;
    ::_exit(::testing::Test::HasFailure() ? 1 : clean ? 0 : 4);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_EQ(status, 0) << "exit " << WEXITSTATUS(status);
}

void on_v2(const std::function<void()>& test) { in_mount_namespace(enter_v2, test); }

void on_pure_v1(const std::function<void()>& test) {
  if (!is_v1()) GTEST_SKIP() << "needs cgroup v1";
  in_mount_namespace(enter_pure_v1, test);
}

plan::CgroupWrite limit_of(const char* controller, const char* file) {
  return {.controller = controller, .file = file, .value = "50"};
}

bool gives(const char* controller) {
  return text_of("/sys/fs/cgroup/cgroup.controllers").contains(controller);
}

// What is below a cgroup with processes can hold some too when it is threaded.
void lives_below_processes() {
  const std::string path = parent_name() + "/full";
  auto cgroup = manager(path);
  ASSERT_OK(cgroup->create({}));
  Child outside(*cgroup);
  const plan::CgroupWrite limit = limit_of("pids", "pids.max");
  auto inner = manager(path + "/threads");
  ASSERT_OK(inner->create(std::span(&limit, 1)));
  ASSERT_OK(inner->apply(std::span(&limit, 1)));
  EXPECT_EQ(*inner->read("", "cgroup.type"), "threaded\n");
  EXPECT_EQ(*inner->read("", "pids.max"), "50\n");
  Child inside(*inner);
  EXPECT_TRUE(in_cgroup(inside.pid(), path + "/threads"));
  if (gives("memory")) {
    const plan::CgroupWrite memory = limit_of("memory", "memory.max");
    auto refused = manager(path + "/memory")->create(std::span(&memory, 1));
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().message().contains("/full: the cgroup is threaded"))
        << refused.error().message();
    EXPECT_EQ(existing(path + "/memory"), 0u);
  }
  EXPECT_EQ(::kill(inside.pid(), SIGKILL), 0);
  (void)inside.wait();
  ASSERT_OK(inner->destroy());
  EXPECT_EQ(::kill(outside.pid(), SIGKILL), 0);
  (void)outside.wait();
  ASSERT_OK(cgroup->destroy());
}

TEST(CgroupV2, LivesBelowProcesses) {
  if (facts().cgroup_layout != plan::CgroupLayout::V2 || !gives("pids"))
    GTEST_SKIP() << "needs cgroup v2 with the pids controller";
  on_v2(lives_below_processes);
}

TEST(CgroupPureV1, Lives) { on_pure_v1(lifecycle); }
TEST(CgroupPureV1, AddsAProcess) { on_pure_v1(adds_a_process); }
TEST(CgroupPureV1, FreezesAndKills) { on_pure_v1(freezes_and_kills); }
TEST(CgroupPureV1, RefusesFrozen) { on_pure_v1(refuses_frozen); }
TEST(CgroupPureV1, KillsNested) { on_pure_v1(kills_nested); }

// What is saved before a change brings back what was, also what the change refused to reach.
void saves_and_puts_back() {
  const std::string path = parent_name() + "/saved";
  auto cgroup = manager(path);
  const bool v2 = facts().cgroup_layout == plan::CgroupLayout::V2;
  std::vector<plan::CgroupWrite> writes = {
      {.controller = "memory",
       .file = v2 ? "memory.max" : "memory.limit_in_bytes",
       .value = "33554432"},
      {.controller = "cpu", .file = v2 ? "cpu.weight" : "cpu.shares", .value = "50"},
      {.controller = "pids", .file = "pids.max", .value = "50"}};
  ASSERT_OK(cgroup->create(writes));
  std::vector<std::string> before, after;
  for (const plan::CgroupWrite& write : writes)
    before.push_back(*cgroup->read(write.controller, write.file.c_str()));
  auto saved = cgroup->save(writes);
  ASSERT_TRUE(saved) << saved.error().message();
  ASSERT_EQ(saved->size(), writes.size());
  EXPECT_EQ(saved->front().file, "pids.max");  // newest first
  EXPECT_EQ(saved->front().value, "max");
  ASSERT_OK(cgroup->apply(writes));
  EXPECT_EQ(*cgroup->read("pids", "pids.max"), "50\n");
  ASSERT_OK(cgroup->apply(*saved));
  for (const plan::CgroupWrite& write : writes)
    after.push_back(*cgroup->read(write.controller, write.file.c_str()));
  EXPECT_EQ(after, before);
  ASSERT_OK(cgroup->destroy());
}

TEST_F(CgroupV1, SavesAndPutsBack) { saves_and_puts_back(); }

bool is_v2_with(std::initializer_list<const char*> controllers) {
  return facts().cgroup_layout == plan::CgroupLayout::V2 && std::ranges::all_of(controllers, gives);
}

TEST(CgroupV2, SavesAndPutsBack) {
  if (!is_v2_with({"memory", "cpu", "pids"})) GTEST_SKIP() << "needs cgroup v2 with controllers";
  on_v2(saves_and_puts_back);
}

// A child that keeps 16 MiB which cannot be reclaimed.
void refuses_to_kill() {
  const std::string path = parent_name() + "/room";
  auto cgroup = manager(path);
  plan::CgroupWrite write = {.controller = "memory",
                             .file = "memory.max",
                             .value = "4194304",
                             .pointer = "/linux/resources/memory/limit",
                             .make_room = true};
  ASSERT_OK(cgroup->create({&write, 1}));
  Child child(*cgroup, [] {
    constexpr size_t kSize = 16 << 20;
    void* memory = ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    ::mlock(memory, kSize);
  });
  auto done = cgroup->apply({&write, 1});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::WrongState);
  EXPECT_NE(done.error().message().find("(current usage: "), std::string::npos)
      << done.error().message();
  EXPECT_TRUE(child.alive());
  EXPECT_EQ(*cgroup->read("memory", "memory.max"), "max\n");
  EXPECT_EQ(*cgroup->read("memory", "memory.high"), "max\n");
  write.make_room = false;
  ASSERT_OK(cgroup->apply({&write, 1}));
  EXPECT_EQ(child.wait(), SIGKILL);
  ASSERT_OK(cgroup->destroy());
}

TEST(CgroupV2, RefusesALimitThatWouldKill) {
  if (!is_v2_with({"memory"})) GTEST_SKIP() << "needs cgroup v2 with the memory controller";
  on_v2(refuses_to_kill);
}

// No descriptor stays open when the manager is gone.
void leaks_nothing() {
  const auto open_descriptors = [] {
    const fs::directory_iterator all("/proc/self/fd");
    return std::distance(fs::begin(all), fs::end(all));
  };
  const auto before = open_descriptors();
  {
    const std::string path = parent_name() + "/leak";
    auto cgroup = manager(path);
    ASSERT_OK(cgroup->create({}));
    const plan::DeviceRulePlan none[] = {rule('a', -1, -1, false)};
    ASSERT_OK(cgroup->apply_devices(none));
    ASSERT_OK(manager(path)->apply_devices(none));
    (void)cgroup->stats();
    ASSERT_OK(cgroup->kill_all(SIGKILL));
    ASSERT_OK(cgroup->destroy());
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST_F(CgroupV1, LeaksNothing) { leaks_nothing(); }
TEST(CgroupV2, LeaksNothing) { on_v2(leaks_nothing); }
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
    EXPECT_FALSE(make_manager({.places = bad})) << path;
  }
}

TEST(Cgroup, RefusesWhatIsNoCgroupFilesystem) {
  auto cgroup = make_manager({.places = {{{}, "/tmp", "/berth-none", true}}});
  ASSERT_TRUE(cgroup);
  EXPECT_FALSE((*cgroup)->create({}));
  EXPECT_FALSE(fs::exists("/tmp/berth-none"));
}

}  // namespace
}  // namespace berth::cgroup::testing
