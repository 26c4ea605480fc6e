// SPDX-License-Identifier: Apache-2.0
#include "engine/live/limited_child.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"

namespace berth::engine {
namespace {

// After SIGKILL, for the kernel to end what can be ended.
constexpr int kGrace = 500;

}  // namespace

Result<LimitedChild> LimitedChild::start(const std::function<void()>& work) {
  int pidfd = -1;
  const pid_t pid = os::clone_child({}, &pidfd);
  if (pid == 0) {
    work();
    ::_exit(1);
  }
  if (pid < 0) return system_error(-pid, "start a process");
  return LimitedChild(os::ChildProcess(pid, os::UniqueFd(pidfd)));
}

LimitedChild::~LimitedChild() {
  if (!child_) return;
  (void)child_.signal(SIGKILL);
  const Result<bool> ended = os::wait_exit(child_.pidfd(), kGrace);
  if (!ended || !*ended) (void)child_.release();
}

Result<os::WaitStatus> LimitedChild::wait(const Deadline& deadline) {
  if (TRY(os::wait_exit(child_.pidfd(), deadline.left()))) return child_.wait();
  return system_error(ETIMEDOUT, "a filesystem of it hangs");
}

}  // namespace berth::engine
