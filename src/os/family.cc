// SPDX-License-Identifier: Apache-2.0
#include "os/family.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "os/fd.h"

namespace berth::os {
namespace {

// By its directory and not by its number: that procfs may be of another pid namespace.
bool kill_by_name(int processes, const char* name) {
  const UniqueFd process(::openat(processes, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  return process && ::syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0;
}

// How many were sent the signal; -1: they are not listed.
int kill_children(int processes) {
  char text[4096];
  const UniqueFd file(::openat(processes, "thread-self/children", O_RDONLY | O_CLOEXEC));
  const ssize_t size = file ? ::read(file.get(), text, sizeof text - 1) : -1;
  if (size < 0) return -1;
  text[size] = '\0';
  int killed = 0;
  // Each ends with a space; the last one of a full buffer may be cut.
  for (char* name = text; char* const end = ::strchr(name, ' '); name = end + 1) {
    *end = '\0';
    if (kill_by_name(processes, name)) ++killed;
  }
  return killed;
}

}  // namespace

void kill_family(pid_t group, int processes) {
  (void)::syscall(SYS_kill, -group, SIGKILL);
  while (true) {
    const int killed = kill_children(processes);
    if (killed < 0) return;
    const int options = killed > 0 ? WEXITED : WEXITED | WNOHANG;
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, options) < 0 && errno != EINTR) return;
  }
}

}  // namespace berth::os
