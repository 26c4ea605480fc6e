// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "floor.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

struct mount_entry {
  const char *target, *type, *options;
  unsigned long flags;
};

static const struct mount_entry kMounts[] = {
    {"proc", "proc", NULL, 0},
    {"dev", "tmpfs", "mode=755,size=65536k", MS_NOSUID | MS_STRICTATIME},
    {"dev/pts", "devpts", "newinstance,ptmxmode=0666,mode=0620,gid=5", MS_NOSUID | MS_NOEXEC},
    {"dev/shm", "tmpfs", "mode=1777,size=65536k", MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"dev/mqueue", "mqueue", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV},
    {"sys", "sysfs", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV | MS_RDONLY},
};

static const struct {
  const char* path;
  unsigned major, minor;
} kDevices[] = {
    {"dev/null", 1, 3},   {"dev/zero", 1, 5},    {"dev/full", 1, 7},
    {"dev/random", 1, 8}, {"dev/urandom", 1, 9}, {"dev/tty", 5, 0},
};

static const struct {
  const char *path, *target;
} kLinks[] = {
    {"dev/fd", "/proc/self/fd"},       {"dev/stdin", "/proc/self/fd/0"},
    {"dev/stdout", "/proc/self/fd/1"}, {"dev/stderr", "/proc/self/fd/2"},
    {"dev/core", "/proc/kcore"},       {"dev/ptmx", "pts/ptmx"},
};

static const char* const kMasked[] = {
    "/proc/acpi",          "/proc/asound",     "/proc/kcore",       "/proc/keys",
    "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats", "/proc/sched_debug",
    "/sys/firmware",       "/proc/scsi",
};

static const char* const kReadOnly[] = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                                        "/proc/sysrq-trigger"};

static void mount_filesystems(void) {
  for (size_t i = 0; i < COUNT(kMounts); ++i) {
    const struct mount_entry* entry = &kMounts[i];
    // Below the new /dev nothing exists yet; the rest is in the rootfs.
    if (!strncmp(entry->target, "dev/", 4)) must(mkdir(entry->target, 0755), entry->target);
    must(mount(entry->type, entry->target, entry->type, entry->flags, entry->options),
         entry->target);
  }
  cgroup_mount("sys/fs/cgroup");
}

static void make_devices(void) {
  mode_t before = umask(0);
  for (size_t i = 0; i < COUNT(kDevices); ++i) {
    dev_t device = makedev(kDevices[i].major, kDevices[i].minor);
    must(mknod(kDevices[i].path, S_IFCHR | 0666, device), kDevices[i].path);
  }
  for (size_t i = 0; i < COUNT(kLinks); ++i)
    must(symlink(kLinks[i].target, kLinks[i].path), kLinks[i].path);
  umask(before);
}

static void mask_paths(void) {
  for (size_t i = 0; i < COUNT(kMasked); ++i) {
    if (!mount("/dev/null", kMasked[i], NULL, MS_BIND, NULL) || errno == ENOENT) continue;
    must(mount("tmpfs", kMasked[i], "tmpfs", MS_RDONLY, NULL), kMasked[i]);
  }
  for (size_t i = 0; i < COUNT(kReadOnly); ++i) {
    if (mount(kReadOnly[i], kReadOnly[i], NULL, MS_BIND | MS_REC, NULL) && errno == ENOENT)
      continue;
    must(mount(NULL, kReadOnly[i], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), kReadOnly[i]);
  }
}

static void bring_up_loopback(void) {
  struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  must(fd, "socket");
  must(ioctl(fd, SIOCSIFFLAGS, &request), "bring up lo");
  close(fd);
}

void container_enter_rootfs(const char* rootfs) {
  must(setsid(), "setsid");
  syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "floor", 0, 0, 0);
  bring_up_loopback();
  must(mount(NULL, "/", NULL, MS_SLAVE | MS_REC, NULL), "make / slave");
  must(mount(rootfs, rootfs, NULL, MS_BIND | MS_REC, NULL), rootfs);
  must(chdir(rootfs), rootfs);
  mount_filesystems();
  make_devices();
  must(syscall(SYS_pivot_root, ".", "."), "pivot_root");
  must(umount2(".", MNT_DETACH), "detach the old root");
  must(chdir("/"), "chdir /");
  must(sethostname("floor", 5), "sethostname");
  mask_paths();
  must(mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), "make / read-only");
}

static void set_capabilities(uint32_t mask) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct sets[2] = {{mask, mask, mask}, {0, 0, 0}};
  must(syscall(SYS_capset, &header, sets), "capset");
}

void container_drop_privileges(void) {
  static const int kKept[] = {CAP_AUDIT_WRITE, CAP_KILL, CAP_NET_BIND_SERVICE};
  uint32_t mask = 0;
  for (size_t i = 0; i < COUNT(kKept); ++i) mask |= 1u << kKept[i];

  const struct rlimit files = {1024, 1024};
  must(setrlimit(RLIMIT_NOFILE, &files), "setrlimit");
  for (int i = 0; i <= CAP_LAST_CAP; ++i) {
    if (i >= 32 || !(mask >> i & 1))
      must(prctl(PR_CAPBSET_DROP, i, 0, 0, 0), "drop from the bounding set");
  }
  must(syscall(SYS_setgroups, 0, NULL), "setgroups");
  must(syscall(SYS_setresgid, 0, 0, 0), "setresgid");
  must(syscall(SYS_setresuid, 0, 0, 0), "setresuid");
  set_capabilities(mask);
  must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear the ambient set");
  for (size_t i = 0; i < COUNT(kKept); ++i) {
    must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, kKept[i], 0, 0), "raise ambient");
  }
  must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  must(syscall(SYS_close_range, 3, ~0u, 4 /* CLOSE_RANGE_CLOEXEC */), "close_range");
}
