// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "floor.h"

#define ROOT "/sys/fs/cgroup"
#define CGROUP2_MAGIC 0x63677270

enum { kMaxHierarchies = 24, kNameSize = 64 };

static char hierarchies[kMaxHierarchies][kNameSize];
static int hierarchy_count = -1;
static int tasks[kMaxHierarchies];

int cgroup_is_v2(void) {
  static int known = -1;
  if (known < 0) {
    struct statfs info;
    must(statfs(ROOT, &info), "statfs " ROOT);
    known = info.f_type == CGROUP2_MAGIC;
  }
  return known;
}

// Real directories only: `cpu` is often a symbolic link to `cpu,cpuacct`.
static void list_hierarchies(void) {
  if (hierarchy_count >= 0) return;
  hierarchy_count = 0;
  DIR* root = opendir(ROOT);
  if (!root) die("opendir " ROOT);
  for (struct dirent* entry = readdir(root); entry; entry = readdir(root)) {
    if (entry->d_type != DT_DIR || entry->d_name[0] == '.' || !strcmp(entry->d_name, "unified"))
      continue;
    if (hierarchy_count == kMaxHierarchies || strlen(entry->d_name) >= kNameSize)
      die("too many hierarchies");
    strcpy(hierarchies[hierarchy_count++], entry->d_name);
  }
  closedir(root);
}

static void copy_from_parent(const char* directory, const char* file) {
  char path[256], value[256];
  snprintf(path, sizeof path, "%s/../%s", directory, file);
  int from = open_or_die(path, O_RDONLY);
  ssize_t size = read(from, value, sizeof value - 1);
  must(size, path);
  close(from);
  value[size] = 0;
  snprintf(path, sizeof path, "%s/%s", directory, file);
  write_file(path, value);
}

static void create_v1(const char* id) {
  list_hierarchies();
  for (int i = 0; i < hierarchy_count; ++i) {
    char path[256];
    snprintf(path, sizeof path, ROOT "/%s/%s", hierarchies[i], id);
    must(mkdir(path, 0755), path);
    if (strstr(hierarchies[i], "cpuset")) {
      copy_from_parent(path, "cpuset.cpus");
      copy_from_parent(path, "cpuset.mems");
    } else if (strstr(hierarchies[i], "devices")) {
      device_rules_write_v1(path);
    }
  }
}

int cgroup_open_v2(const char* id) {
  char path[256];
  snprintf(path, sizeof path, ROOT "/%s", id);
  return open_or_die(path, O_RDONLY | O_DIRECTORY);
}

void cgroup_create(const char* id) {
  if (!cgroup_is_v2()) {
    create_v1(id);
    return;
  }
  char path[256];
  snprintf(path, sizeof path, ROOT "/%s", id);
  must(mkdir(path, 0755), path);
  int cgroup = cgroup_open_v2(id);
  device_rules_attach_v2(cgroup);
  close(cgroup);
}

static void remove_directory(const char* path) {
  while (rmdir(path)) {
    if (errno != EBUSY) die(path);
    sched_yield();
  }
}

void cgroup_remove(const char* id) {
  char path[256];
  if (cgroup_is_v2()) {
    snprintf(path, sizeof path, ROOT "/%s", id);
    remove_directory(path);
    return;
  }
  list_hierarchies();
  for (int i = 0; i < hierarchy_count; ++i) {
    snprintf(path, sizeof path, ROOT "/%s/%s", hierarchies[i], id);
    remove_directory(path);
  }
}

void cgroup_open_tasks(const char* id) {
  list_hierarchies();
  for (int i = 0; i < hierarchy_count; ++i) {
    char path[256];
    snprintf(path, sizeof path, ROOT "/%s/%s/tasks", hierarchies[i], id);
    tasks[i] = open_or_die(path, O_WRONLY);
  }
}

// "0" to `tasks` moves only the calling thread, which spares the grace period that `cgroup.procs`,
// or any other pid, has to wait for.
void cgroup_enter_tasks(void) {
  for (int i = 0; i < hierarchy_count; ++i) {
    must(write(tasks[i], "0", 1), hierarchies[i]);
    close(tasks[i]);
  }
}

void cgroup_mount(const char* target) {
  const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RELATIME;
  if (cgroup_is_v2()) {
    must(mount("cgroup", target, "cgroup2", flags | MS_RDONLY, NULL), "mount cgroup2");
    return;
  }
  list_hierarchies();
  must(mount("cgroup", target, "tmpfs", flags, "mode=755"), "mount tmpfs for cgroups");
  for (int i = 0; i < hierarchy_count; ++i) {
    char path[256];
    const char* options = strcmp(hierarchies[i], "systemd") ? hierarchies[i] : "name=systemd";
    snprintf(path, sizeof path, "%s/%s", target, hierarchies[i]);
    must(mkdir(path, 0755), path);
    must(mount("cgroup", path, "cgroup", flags | MS_RDONLY, options), path);
  }
  must(mount(NULL, target, NULL, MS_REMOUNT | flags | MS_RDONLY, "mode=755"), "remount cgroups");
}
