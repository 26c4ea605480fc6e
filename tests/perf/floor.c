// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "floor.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAMESPACES (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNS)

// ROOT/ID holds the state file and, for create, the start gate.
struct container {
  const char *root, *id, *rootfs;
  char** command;
};

void die(const char* what) {
  dprintf(2, "floor: %s: %s\n", what, strerror(errno));
  _exit(127);
}

void must(long result, const char* what) {
  if (result < 0) die(what);
}

int open_or_die(const char* path, int flags) {
  int fd = open(path, flags | O_CLOEXEC, 0600);
  must(fd, path);
  return fd;
}

void write_file(const char* path, const char* text) {
  int fd = open_or_die(path, O_WRONLY);
  must(write(fd, text, strlen(text)), path);
  close(fd);
}

static const char* path_of(const struct container* it, const char* file) {
  static char path[512];
  snprintf(path, sizeof path, "%s/%s/%s", it->root, it->id, file);
  return path;
}

static int write_record(const struct container* it) {
  must(mkdir(path_of(it, ""), 0700), path_of(it, ""));
  int fd = open_or_die(path_of(it, "state.json"), O_WRONLY | O_CREAT | O_EXCL);
  must(pwrite(fd, "0       ", 8, 0), "write the record");
  return fd;
}

static void write_pid(int record, pid_t pid) {
  char text[16];
  must(pwrite(record, text, (size_t)snprintf(text, sizeof text, "%-8d", pid), 0),
       "write the record");
  close(record);
}

static pid_t read_pid(const struct container* it) {
  char text[16] = {0};
  int fd = open_or_die(path_of(it, "state.json"), O_RDONLY);
  must(read(fd, text, sizeof text - 1), "read the record");
  close(fd);
  return atoi(text);
}

static int open_pidfd(pid_t pid) {
  int fd = (int)syscall(SYS_pidfd_open, pid, 0);
  must(fd, "pidfd_open");
  return fd;
}

// The child's cgroup: by clone on v2, by itself on v1.
static pid_t clone_into_cgroup(uint64_t flags, int cgroup) {
  struct clone_args arguments = {.flags = flags, .exit_signal = SIGCHLD};
  if (cgroup >= 0) {
    arguments.flags |= CLONE_INTO_CGROUP;
    arguments.cgroup = (unsigned)cgroup;
  }
  pid_t pid = (pid_t)syscall(SYS_clone3, &arguments, sizeof arguments);
  must(pid, "clone3");
  if (!pid && cgroup < 0) cgroup_enter_tasks();
  return pid;
}

static int prepare_cgroup(const char* id) {
  if (cgroup_is_v2()) return cgroup_open_v2(id);
  cgroup_open_tasks(id);
  return -1;
}

static void execute(char** command) __attribute__((noreturn));
static void execute(char** command) {
  static char* const environment[] = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL};
  container_drop_privileges();
  execve(command[0], command, environment);
  die(command[0]);
}

// `ready` and `gate` are set for create only: the child says it is ready, then waits for somebody
// to open the gate.
static void be_container(const struct container* it, int ready, int gate) {
  must(syscall(SYS_unshare, CLONE_NEWCGROUP), "unshare the cgroup namespace");
  container_enter_rootfs(it->rootfs);
  if (gate >= 0) {
    must(write(ready, "r", 1), "say ready");
    must(openat(gate, "gate", O_RDONLY | O_CLOEXEC), "wait at the gate");
  }
  execute(it->command);
}

static int run(const struct container* it) {
  int status = 0;
  cgroup_create(it->id);
  int record = write_record(it);
  pid_t pid = clone_into_cgroup(NAMESPACES, prepare_cgroup(it->id));
  if (!pid) be_container(it, -1, -1);
  write_pid(record, pid);
  must(waitpid(pid, &status, 0), "waitpid");
  cgroup_remove(it->id);
  unlink(path_of(it, "state.json"));
  rmdir(path_of(it, ""));
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int create(const struct container* it) {
  int ready[2];
  char byte;
  cgroup_create(it->id);
  int record = write_record(it);
  must(mkfifo(path_of(it, "gate"), 0600), "mkfifo");
  int gate = open_or_die(path_of(it, ""), O_PATH | O_DIRECTORY);
  must(pipe2(ready, O_CLOEXEC), "pipe2");
  pid_t pid = clone_into_cgroup(NAMESPACES, prepare_cgroup(it->id));
  if (!pid) be_container(it, ready[1], gate);
  write_pid(record, pid);
  close(ready[1]);
  if (read(ready[0], &byte, 1) != 1) die("the container did not get ready");
  return 0;
}

static int start(const struct container* it) {
  close(open_or_die(path_of(it, "gate"), O_WRONLY));
  return unlink(path_of(it, "gate"));
}

static int exec(const struct container* it) {
  int status = 0;
  int container = open_pidfd(read_pid(it));
  int cgroup = prepare_cgroup(it->id);
  must(syscall(SYS_setns, container, NAMESPACES), "setns");
  pid_t pid = clone_into_cgroup(0, cgroup);
  if (!pid) {
    must(syscall(SYS_setns, container, CLONE_NEWCGROUP), "setns to the cgroup namespace");
    execute(it->command);
  }
  must(waitpid(pid, &status, 0), "waitpid");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int state(const struct container* it) {
  pid_t pid = read_pid(it);
  struct pollfd container = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
  int gone = container.fd < 0 || poll(&container, 1, 0) == 1;
  dprintf(1, "{\"id\":\"%s\",\"pid\":%d,\"status\":\"%s\"}\n", it->id, pid,
          gone ? "stopped" : "running");
  return 0;
}

static int send_kill(const struct container* it, int wait) {
  struct pollfd container = {.fd = (int)syscall(SYS_pidfd_open, read_pid(it), 0), .events = POLLIN};
  if (container.fd < 0) return wait ? 0 : 1;
  must(syscall(SYS_pidfd_send_signal, container.fd, SIGKILL, NULL, 0), "kill");
  if (wait) must(poll(&container, 1, -1), "poll");
  return 0;
}

static int delete(const struct container* it, int force) {
  if (force) send_kill(it, 1);
  cgroup_remove(it->id);
  unlink(path_of(it, "gate"));
  unlink(path_of(it, "state.json"));
  return rmdir(path_of(it, ""));
}

int main(int argc, char** argv) {
  if (argc < 4) {
    dprintf(2,
            "usage: floor run|create ROOT ID ROOTFS COMMAND...\n"
            "       floor exec ROOT ID COMMAND...\n"
            "       floor start|state|kill|delete|delete-force ROOT ID\n");
    return 2;
  }
  const char* mode = argv[1];
  struct container it = {.root = argv[2], .id = argv[3], .rootfs = argv[4], .command = argv + 4};
  if (!strcmp(mode, "exec") && argc > 4) return exec(&it);
  if (!strcmp(mode, "start")) return start(&it);
  if (!strcmp(mode, "state")) return state(&it);
  if (!strcmp(mode, "kill")) return send_kill(&it, 0);
  if (!strcmp(mode, "delete")) return delete (&it, 0);
  if (!strcmp(mode, "delete-force")) return delete (&it, 1);
  it.command = argv + 5;
  if (!strcmp(mode, "run") && argc > 5) return run(&it);
  if (!strcmp(mode, "create") && argc > 5) return create(&it);
  return 2;
}
