// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <linux/sched.h>
#include <signal.h>
#include <sys/types.h>

#include <cstdint>
#include <optional>

#include "berth/error.h"
#include "os/fd.h"

namespace berth::os {

// clone3(2) by raw system call (glibc has no wrapper). Fills pidfd. Returns 0 in the child, the pid
// in the parent, -errno on failure. The child runs on a copy of the caller's memory, so it may only
// do what src/init may.
struct CloneRequest {
  uint64_t flags = 0;  // CLONE_NEW*, CLONE_PARENT; CLONE_PIDFD is always added
  int cgroup = -1;     // CLONE_INTO_CGROUP (Linux 5.7)
  int exit_signal = SIGCHLD;
};
pid_t clone_child(const CloneRequest& request, int* pidfd);

struct WaitStatus {
  int code = 0;
  int signal = 0;
};

// A child by pidfd: killed and reaped with its owner unless released.
class ChildProcess {
 public:
  ChildProcess() = default;
  ChildProcess(pid_t pid, UniqueFd pidfd) : pid_(pid), pidfd_(std::move(pidfd)) {}
  ChildProcess(ChildProcess&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), pidfd_(std::move(other.pidfd_)) {}
  ChildProcess& operator=(ChildProcess&& other) noexcept;
  ~ChildProcess() { kill_and_reap(); }

  pid_t pid() const { return pid_; }
  int pidfd() const { return pidfd_.get(); }
  explicit operator bool() const { return pid_ > 0; }

  Result<WaitStatus> wait();  // blocks; afterwards there is nothing to kill
  Result<> signal(int signal_number) const;
  void kill_and_reap() noexcept;
  UniqueFd release();  // keeps running; the handle forgets it and hands its descriptor on

 private:
  pid_t pid_ = 0;
  UniqueFd pidfd_;
};

// A child that does nothing, holds no descriptor of ours, and ends with the thread that started it.
Result<ChildProcess> start_idle_process();

// pidfd_open(2); NotFound when there is no such process.
Result<UniqueFd> open_pidfd(pid_t pid);
Result<> send_signal(int pidfd, int signal_number);
// True once the process has ended (or ends within the time; -1 waits for ever).
Result<bool> wait_exit(int pidfd, int timeout_milliseconds);

// What /proc/PID/stat says of a process, also of a zombie; nullopt: there is none.
struct ProcessStat {
  bool ended = false;       // a zombie
  bool executed = false;    // has called execve since its clone
  uint64_t start_time = 0;  // field 22
};
std::optional<ProcessStat> stat_of(pid_t pid);

// Field 22 of /proc/PID/stat, in clock ticks since boot: with the pid it names a process for ever.
// nullopt: no such process, or a zombie.
std::optional<uint64_t> start_time(pid_t pid);

// Whether a process, also a zombie, has called execve since its clone. start_time tells it from
// another that has got its pid; 0 for a child that only the caller can reap.
enum class Execution { Never, Done, Gone };
Execution execution_of(pid_t pid, uint64_t start_time = 0);

// How a process ended that somebody else has reaped, from a pidfd that was opened before (Linux
// 6.15). nullopt: not reaped, or the kernel does not tell.
std::optional<WaitStatus> status_of_reaped(int pidfd);

// How a process ended that nobody has reaped yet. nullopt: there is no such zombie, or the kernel
// does not tell it to the caller.
std::optional<WaitStatus> status_of_zombie(pid_t pid, uint64_t start_time);

}  // namespace berth::os
