// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <vector>

// How the kernel favours a process, or one thread of it, by pid: the host has rights that a user
// namespace takes away. Everything here returns 0 or -errno.
namespace berth::os {

// The kernel's struct sched_attr, version 1 (Linux 5.3); glibc 2.36 has none.
struct SchedulerAttributes {
  uint32_t size = sizeof(SchedulerAttributes);
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
  uint32_t clamp_minimum = 0;
  uint32_t clamp_maximum = 0;
};
static_assert(sizeof(SchedulerAttributes) == 56);

int set_scheduler(pid_t process, const SchedulerAttributes& attributes);
int get_scheduler(pid_t process, SchedulerAttributes& attributes);
int set_io_priority(pid_t process, int priority);  // class << 13 | level; 0: follows nice
int get_io_priority(pid_t process);                // or -errno
// One bit for each CPU.
int set_affinity(pid_t process, const std::vector<uint64_t>& cpus);
int get_affinity(pid_t process, std::vector<uint64_t>& cpus);

}  // namespace berth::os
