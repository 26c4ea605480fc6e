// SPDX-License-Identifier: Apache-2.0
#include "os/priority.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::os {
namespace {

constexpr size_t kMostCpus = 8192;  // of any kernel
constexpr int kWhoProcess = 1;      // linux/ioprio.h, which C++ can not read

}  // namespace

int set_scheduler(pid_t process, const SchedulerAttributes& attributes) {
  return ::syscall(SYS_sched_setattr, process, &attributes, 0) < 0 ? -errno : 0;
}

int get_scheduler(pid_t process, SchedulerAttributes& attributes) {
  const long result = ::syscall(SYS_sched_getattr, process, &attributes, sizeof attributes, 0);
  return result < 0 ? -errno : 0;
}

int set_io_priority(pid_t process, int priority) {
  return ::syscall(SYS_ioprio_set, kWhoProcess, process, priority) < 0 ? -errno : 0;
}

int get_io_priority(pid_t process) {
  const long priority = ::syscall(SYS_ioprio_get, kWhoProcess, process);
  return priority < 0 ? -errno : static_cast<int>(priority);
}

int set_affinity(pid_t process, const std::vector<uint64_t>& cpus) {
  const size_t size = cpus.size() * sizeof(uint64_t);
  return ::syscall(SYS_sched_setaffinity, process, size, cpus.data()) < 0 ? -errno : 0;
}

int get_affinity(pid_t process, std::vector<uint64_t>& cpus) {
  cpus.assign(kMostCpus / 64, 0);
  const size_t size = cpus.size() * sizeof(uint64_t);
  const long bytes = ::syscall(SYS_sched_getaffinity, process, size, cpus.data());
  if (bytes < 0) return -errno;
  cpus.resize(static_cast<size_t>(bytes) / sizeof(uint64_t));
  return 0;
}

}  // namespace berth::os
