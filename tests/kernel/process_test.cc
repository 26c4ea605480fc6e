// SPDX-License-Identifier: Apache-2.0
#include "os/process.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

namespace berth::os {
namespace {

enum class Ends { ByItself, BySignal, InProgram };

pid_t start_child(Ends how, int* pidfd) {
  const pid_t pid = clone_child({}, pidfd);
  if (pid != 0) return pid;
  if (how == Ends::InProgram) ::execl("/bin/sh", "sh", "-c", "exit 3", nullptr);
  if (how == Ends::BySignal) (void)::raise(SIGKILL);
  ::_exit(5);
}

Execution execution_of_zombie(Ends how) {
  int pidfd = -1;
  const pid_t pid = start_child(how, &pidfd);
  ChildProcess child(pid, UniqueFd(pidfd));
  EXPECT_TRUE(*wait_exit(pidfd, -1));
  return execution_of(pid);
}

TEST(Execution, ZombieTellsWhetherItWasExecuted) {
  EXPECT_EQ(execution_of_zombie(Ends::ByItself), Execution::Never);
  EXPECT_EQ(execution_of_zombie(Ends::BySignal), Execution::Never);
  EXPECT_EQ(execution_of_zombie(Ends::InProgram), Execution::Done);
}

TEST(Execution, AnotherProcessOfThatPidIsNotTaken) {
  const uint64_t start = start_time(::getpid()).value_or(0);
  EXPECT_EQ(execution_of(::getpid(), start), Execution::Done);
  EXPECT_EQ(execution_of(::getpid(), start + 1), Execution::Gone);
}

TEST(StatusOfReaped, IsKnownAfterTheReaping) {
  int pidfd = -1;
  const pid_t pid = start_child(Ends::BySignal, &pidfd);
  const UniqueFd handle(pidfd);
  ASSERT_EQ(::waitpid(pid, nullptr, 0), pid);
  EXPECT_EQ(execution_of(pid), Execution::Gone);
  const auto status = status_of_reaped(pidfd);
  if (!status) GTEST_SKIP() << "the kernel keeps no exit code (before Linux 6.15)";
  EXPECT_EQ(status->signal, SIGKILL);
}

TEST(StatusOfReaped, IsNotKnownBefore) {
  int pidfd = -1;
  const pid_t pid = start_child(Ends::ByItself, &pidfd);
  ChildProcess child(pid, UniqueFd(pidfd));
  EXPECT_TRUE(*wait_exit(pidfd, -1));
  EXPECT_FALSE(status_of_reaped(pidfd));
}

}  // namespace
}  // namespace berth::os
