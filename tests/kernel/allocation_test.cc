// SPDX-License-Identifier: Apache-2.0
// The code after clone allocates nothing: it may be the child of a program with many threads, one
// of which held the allocator's lock. Here the allocator ends whoever calls it after clone.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <optional>
#include <ostream>
#include <string>

#include "berth/factory.h"

#ifndef __SANITIZE_ADDRESS__  // which has an allocator of its own

namespace {

std::atomic<pid_t> watched_parent{0};
constexpr int kAllocated = 99;

void refuse_after_clone() {
  const pid_t parent = watched_parent.load(std::memory_order_relaxed);
  if (parent == 0 || ::syscall(SYS_getpid) == parent) return;
  constexpr char kText[] = "allocated after clone\n";
  (void)!::write(STDERR_FILENO, kText, sizeof kText - 1);
  ::_exit(kAllocated);
}

}  // namespace

extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier): the C library's own names, which it exports for this
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* block, size_t size);
void __libc_free(void* block);
// NOLINTEND(bugprone-reserved-identifier)

void* malloc(size_t size) {
  refuse_after_clone();
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  refuse_after_clone();
  return __libc_calloc(count, size);
}
void* realloc(void* block, size_t size) {
  refuse_after_clone();
  return __libc_realloc(block, size);
}
void free(void* block) {
  refuse_after_clone();
  __libc_free(block);
}
}

namespace berth {
namespace {

namespace fs = std::filesystem;

// Parts of config.json: of the top level, of process and of linux.
struct Shape {
  const char* name;
  const char* top = "";
  const char* process = "";
  const char* platform = "";
  const char* program = R"(["true"])";

  friend void PrintTo(const Shape& shape, std::ostream* out) { *out << shape.name; }
};

class Allocation : public testing::TestWithParam<Shape> {
 protected:
  void SetUp() override {
    char place[] = "/tmp/berth-allocation-XXXXXX";
    ASSERT_NE(::mkdtemp(place), nullptr);
    place_ = place;
    ::chmod(place, 0755);
    for (const char* folder : {"bin", "dev", "proc", "sys", "tmp", "etc"})
      fs::create_directories(place_ / "root" / folder);
    fs::copy_file("/bin/busybox", place_ / "root/bin/busybox");
    for (const char* applet : {"true", "false", "sleep"})
      fs::create_symlink("busybox", place_ / "root/bin" / applet);
    auto factory = Factory::open({.state_root = place_ / "state"});
    ASSERT_TRUE(factory);
    factory_.emplace(std::move(*factory));
    watched_parent = ::getpid();
  }
  void TearDown() override {
    watched_parent = 0;
    if (auto container = factory_->load(kId)) (void)container->destroy(true);
    fs::remove_all(place_);
  }

  std::string config(const Shape& shape) const {
    return std::string(R"({"ociVersion":"1.3.0","root":{"path":")") + (place_ / "root").string() +
           R"("},"hostname":"box",)" + shape.top + R"("process":{"cwd":"/","env":["PATH=/bin"],)" +
           shape.process + R"("args":)" + shape.program + R"(},"linux":{)" + shape.platform + R"(
      "namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"network"}
      )" + (std::string(shape.name).contains("User") ? R"(,{"type":"user"})" : "") +
           R"(],
      "maskedPaths":["/proc/kcore","/proc/acpi"],"readonlyPaths":["/proc/sys"]}})";
  }
  CreateOptions options(const Shape& shape) const {
    return {.bundle = place_, .config_json = config(shape)};
  }

  static constexpr const char* kId = "allocation-test";
  fs::path place_ = {};
  std::optional<Factory> factory_ = {};
};

constexpr const char* kMounts = R"("mounts":[
  {"destination":"/proc","type":"proc","source":"proc"},
  {"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["mode=755","ro"]},
  {"destination":"/dev/pts","type":"devpts","source":"devpts","options":["newinstance","ptmxmode=0666"]},
  {"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["tmpcopyup"]},
  {"destination":"/etc","type":"bind","source":"/etc","options":["rbind","rro"]}],)";
constexpr const char* kHooks = R"("hooks":{
  "createContainer":[{"path":"/bin/true"}],"startContainer":[{"path":"/bin/true"}]},)";
constexpr const char* kUser =
    R"("user":{"uid":7,"gid":8,"additionalGids":[9]},"noNewPrivileges":true,
  "capabilities":{"bounding":["CAP_KILL"]},"rlimits":[{"type":"RLIMIT_NOFILE","soft":64,"hard":64}],)";
constexpr const char* kProfile = R"("seccomp":{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[
  {"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]},)";
constexpr const char* kMaps = R"("uidMappings":[{"containerID":0,"hostID":100000,"size":65536}],
  "gidMappings":[{"containerID":0,"hostID":100000,"size":65536}],)";
constexpr const char* kNoMount =
    R"("mounts":[{"destination":"/tmp","type":"moonfs","source":"x"}],)";
constexpr const char* kNoHook = R"("hooks":{"createRuntime":[{"path":"/no/such/hook"}]},)";
constexpr const char* kNoLateHook =
    R"("hooks":{"createRuntime":[{"path":"/no/such/hook","timeout":9}]},)";
constexpr const char* kBadHook = R"("hooks":{"startContainer":[{"path":"/bin/false"}]},)";

INSTANTIATE_TEST_SUITE_P(
    Shapes, Allocation,
    testing::Values(Shape{.name = "Plain"}, Shape{.name = "Mounts", .top = kMounts},
                    Shape{.name = "Hooks", .top = kHooks},
                    Shape{.name = "Process", .process = kUser},
                    Shape{.name = "Seccomp", .platform = kProfile},
                    Shape{.name = "UserNamespace", .top = kMounts, .platform = kMaps}),
    [](const auto& shape) { return shape.param.name; });

TEST_P(Allocation, NoneOnTheWayToTheProgram) {
  auto started = factory_->run(kId, options(GetParam()));
  ASSERT_TRUE(started) << started.error().message();
  EXPECT_EQ(started->process.wait()->code, 0);
}

class FailedAllocation : public Allocation {};

INSTANTIATE_TEST_SUITE_P(
    Shapes, FailedAllocation,
    testing::Values(Shape{.name = "Mount", .top = kNoMount}, Shape{.name = "Hook", .top = kBadHook},
                    Shape{.name = "NoHook", .top = kNoHook},
                    Shape{.name = "NoLateHook", .top = kNoLateHook},
                    Shape{.name = "Program", .program = R"(["no-such"])"},
                    Shape{.name = "Directory", .process = R"("cwd":"/bin/busybox",)"}),
    [](const auto& shape) { return shape.param.name; });

TEST_P(FailedAllocation, NoneOnTheWayToAFailure) {
  std::string text = config(GetParam());
  if (const size_t first = text.find(R"("cwd":"/",)"); text.contains("/bin/busybox\","))
    text.erase(first, sizeof(R"("cwd":"/",)") - 1);
  auto process = factory_->run(kId, {.bundle = place_, .config_json = text});
  ASSERT_FALSE(process);
  EXPECT_FALSE(process.error().message().contains("without a word")) << process.error().message();
  EXPECT_FALSE(process.error().message().contains("allocated")) << process.error().message();
}

TEST_F(Allocation, NoneInAFurtherProcess) {
  auto first = factory_->run(
      kId,
      {.bundle = place_, .config_json = config({.name = "", .program = R"(["sleep","100"])"})});
  ASSERT_TRUE(first) << first.error().message();
  auto container = factory_->load(kId);
  ASSERT_TRUE(container);
  auto second = container->exec({.args = {"false"}});
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_EQ(second->wait()->code, 1);
  EXPECT_FALSE(container->exec({.args = {"no-such"}}));
  auto held = container->exec(
      {.args = {"true"}, .hold = Hold::Container, .tools = place_ / "root", .tools_place = "/tmp"});
  ASSERT_TRUE(held) << held.error().message();
  ASSERT_TRUE(container->start_process(held->pid()));
  EXPECT_EQ(held->wait()->code, 0);
  ASSERT_TRUE(container->destroy(true));
  (void)first->process.wait();
}

}  // namespace
}  // namespace berth

#endif
