// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fcntl.h>
#include <sys/syscall.h>

#include <cstdint>
#include <span>

// The system calls that change something outside the caller's own memory.
struct StateChange {
  long number;
  const char* name;
};

inline constexpr StateChange kStateChanges[] = {
    {SYS_write, "write"},
    {SYS_pwrite64, "pwrite64"},
    {SYS_writev, "writev"},
    {SYS_open, "open"},
    {SYS_openat, "openat"},
    {SYS_openat2, "openat2"},
    {SYS_creat, "creat"},
    {SYS_mkdir, "mkdir"},
    {SYS_mkdirat, "mkdirat"},
    {SYS_rmdir, "rmdir"},
    {SYS_unlink, "unlink"},
    {SYS_unlinkat, "unlinkat"},
    {SYS_rename, "rename"},
    {SYS_renameat, "renameat"},
    {SYS_renameat2, "renameat2"},
    {SYS_link, "link"},
    {SYS_linkat, "linkat"},
    {SYS_symlink, "symlink"},
    {SYS_symlinkat, "symlinkat"},
    {SYS_mknod, "mknod"},
    {SYS_mknodat, "mknodat"},
    {SYS_chmod, "chmod"},
    {SYS_fchmod, "fchmod"},
    {SYS_fchmodat, "fchmodat"},
    {SYS_chown, "chown"},
    {SYS_fchown, "fchown"},
    {SYS_lchown, "lchown"},
    {SYS_fchownat, "fchownat"},
    {SYS_truncate, "truncate"},
    {SYS_ftruncate, "ftruncate"},
    {SYS_flock, "flock"},
    {SYS_setxattr, "setxattr"},
    {SYS_fsetxattr, "fsetxattr"},
    {SYS_utimensat, "utimensat"},
    {SYS_sendfile, "sendfile"},
    {SYS_copy_file_range, "copy_file_range"},
    {SYS_mount, "mount"},
    {SYS_umount2, "umount2"},
    {SYS_open_tree, "open_tree"},
    {467, "open_tree_attr"},  // Linux 6.15, newer than Debian 12's headers
    {SYS_move_mount, "move_mount"},
    {SYS_fsopen, "fsopen"},
    {SYS_fsconfig, "fsconfig"},
    {SYS_fsmount, "fsmount"},
    {SYS_fspick, "fspick"},
    {SYS_mount_setattr, "mount_setattr"},
    {SYS_pivot_root, "pivot_root"},
    {SYS_chroot, "chroot"},
    {SYS_chdir, "chdir"},
    {SYS_fchdir, "fchdir"},
    {SYS_clone, "clone"},
    {SYS_clone3, "clone3"},
    {SYS_fork, "fork"},
    {SYS_vfork, "vfork"},
    {SYS_execve, "execve"},
    {SYS_execveat, "execveat"},
    {SYS_unshare, "unshare"},
    {SYS_setns, "setns"},
    {SYS_kill, "kill"},
    {SYS_pidfd_send_signal, "pidfd_send_signal"},
    {SYS_pidfd_open, "pidfd_open"},
    {SYS_pidfd_getfd, "pidfd_getfd"},
    {SYS_prctl, "prctl"},
    {SYS_seccomp, "seccomp"},
    {SYS_bpf, "bpf"},
    {SYS_keyctl, "keyctl"},
    {SYS_capset, "capset"},
    {SYS_setuid, "setuid"},
    {SYS_setgid, "setgid"},
    {SYS_setreuid, "setreuid"},
    {SYS_setregid, "setregid"},
    {SYS_setresuid, "setresuid"},
    {SYS_setresgid, "setresgid"},
    {SYS_setfsuid, "setfsuid"},
    {SYS_setfsgid, "setfsgid"},
    {SYS_setgroups, "setgroups"},
    {SYS_setsid, "setsid"},
    {SYS_setpgid, "setpgid"},
    {SYS_setrlimit, "setrlimit"},
    {SYS_prlimit64, "prlimit64"},
    {SYS_setpriority, "setpriority"},
    {SYS_sched_setattr, "sched_setattr"},
    {SYS_sched_setscheduler, "sched_setscheduler"},
    {SYS_sched_setaffinity, "sched_setaffinity"},
    {SYS_ioprio_set, "ioprio_set"},
    {SYS_personality, "personality"},
    {SYS_sethostname, "sethostname"},
    {SYS_setdomainname, "setdomainname"},
    {SYS_close_range, "close_range"},
    {SYS_dup2, "dup2"},
    {SYS_dup3, "dup3"},
    {SYS_ioctl, "ioctl"},
    {SYS_socket, "socket"},
    {SYS_socketpair, "socketpair"},
    {SYS_connect, "connect"},
    {SYS_bind, "bind"},
    {SYS_sendto, "sendto"},
    {SYS_sendmsg, "sendmsg"},
    {SYS_pipe2, "pipe2"},
    {SYS_memfd_create, "memfd_create"},
};

inline bool opens_to_change(uint64_t flags) {
  return (flags & O_PATH) == 0 && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT) != 0);
}

// The name of the call when it changes something, else nullptr. An openat2 hides its flags in
// memory: each one counts.
inline const char* state_change(uint64_t number, std::span<const uint64_t, 6> arguments) {
  for (const StateChange& call : kStateChanges) {
    if (static_cast<uint64_t>(call.number) != number) continue;
    if (number == SYS_open && !opens_to_change(arguments[1])) return nullptr;
    if (number == SYS_openat && !opens_to_change(arguments[2])) return nullptr;
    if (number == SYS_prlimit64 && arguments[2] == 0) return nullptr;
    return call.name;
  }
  return nullptr;
}
