// SPDX-License-Identifier: Apache-2.0
// Processes that the handle of the library holds right before their program. Needs root.
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <optional>
#include <string>

#include "berth/factory.h"

namespace berth {
namespace {

namespace fs = std::filesystem;

constexpr int kLimitMs = 60'000;

bool has_ended(int pidfd) {
  pollfd event{.fd = pidfd, .events = POLLIN, .revents = 0};
  return ::poll(&event, 1, kLimitMs) == 1;
}

class HeldExec : public testing::Test {
 protected:
  void SetUp() override {
    char place[] = "/tmp/berth-held-XXXXXX";
    ASSERT_NE(::mkdtemp(place), nullptr);
    place_ = place;
    ::chmod(place, 0755);
    for (const char* folder : {"bin", "proc", "dev", "tmp"})
      fs::create_directories(place_ / "root" / folder);
    fs::copy_file("/bin/busybox", place_ / "root/bin/busybox");
    for (const char* applet : {"sh", "sleep", "touch"})
      fs::create_symlink("busybox", place_ / "root/bin" / applet);
    std::ofstream(place_ / "root/bin/strange") << "#!/moon\n";
    ::chmod((place_ / "root/bin/strange").c_str(), 0755);
    auto factory = Factory::open({.state_root = place_ / "state"});
    ASSERT_TRUE(factory);
    factory_.emplace(std::move(*factory));
    first_.emplace(*factory_->run(kId, {.bundle = place_, .config_json = config()}));
    container_.emplace(*factory_->load(kId));
  }
  void TearDown() override {
    if (container_) (void)container_->destroy(true);
    if (first_) (void)first_->process.wait();
    fs::remove_all(place_);
  }

  std::string config() const {
    return R"({"ociVersion":"1.3.0","root":{"path":")" + (place_ / "root").string() +
           R"("},"mounts":[{"destination":"/proc","type":"proc","source":"proc"}],
           "process":{"cwd":"/","env":["PATH=/bin"],"args":["sleep","1000"]},"linux":{"namespaces":[
           {"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"network"}]}})";
  }
  ProcessSpec held(std::vector<std::string> args) const {
    return {.args = std::move(args), .pid_file = place_ / "pid", .hold = Hold::Handle};
  }
  bool has_run() const { return fs::exists(place_ / "root/tmp/ran"); }
  bool has_pid_file() const { return fs::exists(place_ / "pid"); }

  static constexpr const char* kId = "held-exec-test";
  fs::path place_ = {};
  std::optional<Factory> factory_ = {};
  std::optional<Started> first_ = {};
  std::optional<Container> container_ = {};
};

TEST_F(HeldExec, RunsWhenItIsStarted) {
  auto process = container_->exec(held({"touch", "/tmp/ran"}));
  ASSERT_TRUE(process) << process.error().message();
  std::ifstream file(place_ / "pid");
  pid_t pid = 0;
  file >> pid;
  EXPECT_EQ(pid, process->pid());
  EXPECT_FALSE(has_run());
  ASSERT_TRUE(process->start());
  EXPECT_EQ(process->wait()->code, 0);
  EXPECT_TRUE(has_run());
  EXPECT_TRUE(has_pid_file());
  const auto again = process->start();
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().kind(), ErrorKind::WrongState);
}

TEST_F(HeldExec, EndsWithItsHandle) {
  pid_t pid = 0;
  {
    auto process = container_->exec(held({"touch", "/tmp/ran"}));
    ASSERT_TRUE(process) << process.error().message();
    pid = process->pid();
  }
  EXPECT_EQ(::waitpid(pid, nullptr, WNOHANG), -1);  // reaped
  EXPECT_FALSE(has_run());
  EXPECT_FALSE(has_pid_file());
}

TEST_F(HeldExec, KilledWhileItIsHeld) {
  auto process = container_->exec(held({"touch", "/tmp/ran"}));
  ASSERT_TRUE(process) << process.error().message();
  ASSERT_TRUE(process->signal(SIGKILL));
  ASSERT_TRUE(has_ended(process->pidfd()));
  const auto started = process->start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().message().contains("ended before its program ran"))
      << started.error().message();
  EXPECT_FALSE(has_run());
  EXPECT_FALSE(has_pid_file());
}

TEST_F(HeldExec, EndThatIsWaitedFor) {
  auto process = container_->exec(held({"touch", "/tmp/ran"}));
  ASSERT_TRUE(process) << process.error().message();
  ASSERT_TRUE(process->signal(SIGTERM));
  EXPECT_EQ(process->wait()->signal, SIGTERM);
  EXPECT_FALSE(has_pid_file());
  EXPECT_FALSE(process->start());
}

TEST_F(HeldExec, FailureOfExecveComesFromStart) {
  auto process = container_->exec(held({"strange"}));
  ASSERT_TRUE(process) << process.error().message();
  const auto started = process->start();
  ASSERT_FALSE(started);
  EXPECT_TRUE(started.error().message().contains("exec: \"strange\"")) << started.error().message();
  EXPECT_FALSE(has_pid_file());
  EXPECT_EQ(::waitpid(process->pid(), nullptr, WNOHANG), -1);
}

TEST_F(HeldExec, WhatFailsBeforeComesFromExec) {
  EXPECT_FALSE(container_->exec(held({"no-such"})));
  EXPECT_FALSE(has_pid_file());
}

TEST_F(HeldExec, EndsWithTheProgramThatHoldsIt) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
  const pid_t engine = ::fork();
  if (engine == 0) {
    auto process = container_->exec(held({"touch", "/tmp/ran"}));
    const pid_t pid = process ? process->pid() : 0;
    (void)!::write(ends[1], &pid, sizeof pid);
    ::raise(SIGKILL);
  }
  pid_t pid = 0;
  ASSERT_EQ(::read(ends[0], &pid, sizeof pid), static_cast<ssize_t>(sizeof pid));
  ASSERT_GT(pid, 0);
  EXPECT_EQ(::waitpid(engine, nullptr, 0), engine);
  int status = 0;
  EXPECT_EQ(::waitpid(pid, &status, 0), pid);  // it has come to us, and does end
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_FALSE(has_run());
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(HeldExec, TwoAtOnceGoTheirOwnWays) {
  auto one = container_->exec({.args = {"sh", "-c", "exit 3"}, .hold = Hold::Handle});
  auto other = container_->exec({.args = {"sh", "-c", "exit 4"}, .hold = Hold::Handle});
  ASSERT_TRUE(one && other);
  ASSERT_TRUE(other->start());
  EXPECT_EQ(other->wait()->code, 4);
  ASSERT_TRUE(one->start());
  EXPECT_EQ(one->wait()->code, 3);
}

}  // namespace
}  // namespace berth
