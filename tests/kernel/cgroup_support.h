// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cgroup/layout.h"
#include "cgroup/manager.h"
#include "os/process.h"

// Cgroups of a test below a directory of its own, and children in them.
namespace berth::cgroup::testing {

namespace fs = std::filesystem;

inline std::string text_of(const fs::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

inline plan::HostFacts facts() {
  plan::HostFacts found;
  EXPECT_TRUE(gather_layout(found));
  return found;
}

inline std::string parent_name() { return "/berth-test-" + std::to_string(::getpid()); }

inline std::vector<plan::CgroupPlace> places(const std::string& path) {
  std::vector<plan::CgroupPlace> made;
  for (const plan::CgroupHierarchy& each : facts().hierarchies)
    made.push_back({each.controllers, each.mountpoint, path, each.is_v2});
  return made;
}

inline std::unique_ptr<CgroupManager> manager(const std::string& path) {
  auto made = make_manager({.places = places(path)});
  EXPECT_TRUE(made) << made.error().message();
  return *std::move(made);
}

#define ASSERT_OK(expression)                          \
  do {                                                 \
    auto result_ = (expression);                       \
    ASSERT_TRUE(result_) << result_.error().message(); \
  } while (false)

// Where the directories of `path` are.
inline std::vector<fs::path> directories(const std::string& path) {
  std::vector<fs::path> all;
  for (const plan::CgroupPlace& place : places(path)) all.push_back(place.mountpoint + place.path);
  return all;
}

inline size_t existing(const std::string& path) {
  size_t count = 0;
  for (const fs::path& each : directories(path)) count += fs::exists(each);
  return count;
}

inline bool in_cgroup(pid_t process, const std::string& path) {
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

inline bool is_v1() {
  return facts().cgroup_layout == plan::CgroupLayout::V1 ||
         facts().cgroup_layout == plan::CgroupLayout::Hybrid;
}

class CgroupV1 : public ::testing::Test {
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

}  // namespace berth::cgroup::testing
