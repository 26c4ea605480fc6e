// SPDX-License-Identifier: Apache-2.0
// unmounts N DIRECTORY: the floor of what has to remove N mounts. In a mount namespace of its own
// it binds a file N times and prints how many milliseconds umount2(2) of each takes. The kernel
// waits for each of them until nobody looks at mounts (RCU).
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e3 + (double)time.tv_nsec / 1e6;
}

static int failed(const char* what) {
  perror(what);
  return 1;
}

int main(int argc, char** argv) {
  const int count = argc == 3 ? atoi(argv[1]) : 0;
  if (count <= 0) return 2;
  if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
    return failed("unshare");
  if (mount("unmounts", argv[2], "tmpfs", 0, NULL) != 0 || chdir(argv[2]) != 0)
    return failed("mount tmpfs");
  char name[16];
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "%d", i);
    const int file = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    if (file < 0 || close(file) != 0 || mount("/proc/uptime", name, NULL, MS_BIND, NULL) != 0)
      return failed("bind");
  }
  const double start = now();
  for (int i = 0; i < count; i++) {
    snprintf(name, sizeof name, "%d", i);
    if (umount2(name, MNT_DETACH) != 0) return failed("umount2");
  }
  printf("%.3f\n", now() - start);
  return 0;
}
