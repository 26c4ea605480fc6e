// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "berth/try.h"
#include "cgroup/waiting.h"
#include "core/context.h"

namespace berth::cgroup {

Result<int> oom_fd_v1(const Directory& directory) {
  os::UniqueFd control = TRY(directory.open_file("memory.oom_control", O_RDONLY));
  os::UniqueFd event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!event) return system_error(errno, "eventfd");
  TRY(directory.write("cgroup.event_control", formatted("{} {}", event.get(), control.get())));
  return event.release();
}

Result<int> oom_fd_v2(const Directory& directory) {
  os::UniqueFd watch(::inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
  if (!watch) return system_error(errno, "inotify_init1");
  // cgroup.events wakes the reader when the last process is gone.
  for (const char* file : {"memory.events", "cgroup.events"}) {
    os::UniqueFd opened = TRY(directory.open_file(file, O_PATH));
    const std::string path = formatted("/proc/self/fd/{}", opened.get());
    if (::inotify_add_watch(watch.get(), path.c_str(), IN_MODIFY) < 0)
      return system_error(errno, "watch {}", file);
  }
  return watch.release();
}

}  // namespace berth::cgroup
