// SPDX-License-Identifier: Apache-2.0
#include "os/priority.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace berth::os {
namespace {

constexpr int kWhoProcess = 1;  // linux/ioprio.h, which C++ can not read

}  // namespace

int set_scheduler(pid_t process, const SchedulerAttributes& attributes) {
  return ::syscall(SYS_sched_setattr, process, &attributes, 0) < 0 ? -errno : 0;
}

int set_io_priority(pid_t process, int priority) {
  return ::syscall(SYS_ioprio_set, kWhoProcess, process, priority) < 0 ? -errno : 0;
}

}  // namespace berth::os
