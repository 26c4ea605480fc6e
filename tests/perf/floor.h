// SPDX-License-Identifier: Apache-2.0
// The floor: the kernel work that no runtime can leave out of the life of a container with the
// default spec, and nothing else (no config.json, no checks, no undo). What a runtime takes beyond
// this is its own.
#pragma once

#include <sys/types.h>

// Prints what failed and leaves: the floor is measured only where everything works.
void die(const char* what) __attribute__((noreturn));
void must(long result, const char* what);
int open_or_die(const char* path, int flags);
void write_file(const char* path, const char* text);

// The container's cgroup, directly below the root of each hierarchy that is mounted.
int cgroup_is_v2(void);
void cgroup_create(const char* id);
void cgroup_remove(const char* id);
// v2: a descriptor for CLONE_INTO_CGROUP.
int cgroup_open_v2(const char* id);
// v1: open every `tasks` file while the host's mounts are in sight, then move the (single-threaded)
// caller there.
void cgroup_open_tasks(const char* id);
void cgroup_enter_tasks(void);
// Inside the container, in its directory: what is mounted at /sys/fs/cgroup.
void cgroup_mount(const char* target);
// Attaches the default device rules: a program on v2, lines to devices.allow on v1.
void device_rules_attach_v2(int cgroup);
void device_rules_write_v1(const char* directory);

// The child's half: from fresh namespaces to just before exec.
void container_enter_rootfs(const char* rootfs);
void container_drop_privileges(void);
