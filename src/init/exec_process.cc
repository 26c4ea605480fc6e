// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "init/step.h"

namespace berth::init {
namespace {

constexpr mode_t kAnyExecute = S_IXUSR | S_IXGRP | S_IXOTH;

// 0, or why this file can not be the program.
int check_program(const char* path) {
  struct stat status;
  if (::stat(path, &status) < 0) return -errno;
  if (S_ISDIR(status.st_mode)) return -EISDIR;
  if ((status.st_mode & kAnyExecute) == 0) return -EACCES;
  if (::syscall(SYS_faccessat2, AT_FDCWD, path, X_OK, AT_EACCESS) == 0) return 0;
  return errno == EACCES ? -EACCES : 0;  // a filter may not know the call: execve decides
}

// Writes "DIR/NAME" of the next entry of PATH; an empty entry is the working directory.
const char* next_candidate(const char* path, const char* name, char (&buffer)[PATH_MAX]) {
  const char* colon = strchrnul(path, ':');
  const size_t size = static_cast<size_t>(colon - path);
  const size_t name_size = strlen(name);
  if (size + name_size + 3 < sizeof buffer) {
    const size_t used = size == 0 ? 1 : size;
    memcpy(buffer, size == 0 ? "." : path, used);
    buffer[used] = '/';
    memcpy(buffer + used + 1, name, name_size + 1);
  } else {
    buffer[0] = '\0';
  }
  return *colon == ':' ? colon + 1 : nullptr;
}

}  // namespace

StepResult find_executable(ProcessContext& process) {
  const char* name = process.prepared.argv[0];
  if (strchr(name, '/') != nullptr) {
    const int result = check_program(name);
    if (result < 0) return failure(Step::FindExecutable, result, -1, Action::NotExecutable);
    process.executable = name;
    return {};
  }
  bool denied = false;
  for (const char* rest = process.prepared.path; rest != nullptr && name[0] != '\0';) {
    rest = next_candidate(rest, name, process.found);
    const int result = process.found[0] != '\0' ? check_program(process.found) : -ENOENT;
    denied = denied || result == -EACCES;
    if (result < 0) continue;
    process.executable = process.found;
    return {};
  }
  return failure(Step::FindExecutable, denied ? EACCES : ENOENT, -1,
                 denied ? Action::NotExecutable : Action::NotInPath);
}

namespace {

StepResult load_profile(ProcessContext& process) {
  PreparedProcess& prepared = process.prepared;
  if (prepared.seccomp.len == 0) return {};
  unsigned flags = prepared.seccomp_flags;
  if (prepared.seccomp_listener) flags |= SECCOMP_FILTER_FLAG_NEW_LISTENER;
  const long result = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prepared.seccomp);
  if (result < 0) return failure(Step::LoadSeccomp, errno);
  if (prepared.seccomp_listener) TRY(process.host.send_listener(static_cast<int>(result)));
  return {};
}

}  // namespace

// The added filter is second: it may refuse seccomp(2), which the engines' profiles allow.
StepResult load_seccomp(ProcessContext& process) {
  TRY(load_profile(process));
  sock_fprog& added = process.prepared.added_filter;
  if (added.len == 0) return {};
  const unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &added) == 0) return {};
  return failure(Step::LoadSeccomp, errno, -1, Action::AddFilter);
}

StepResult exec_process(ProcessContext& process) {
  // Its own pid in its own namespace, which is 1 only in a new one.
  char* variable = process.prepared.listen_pid;
  if (*variable != '\0') {
    char* end = variable + sizeof process.prepared.listen_pid - 1;
    *std::to_chars(variable + strlen(variable), end, ::getpid()).ptr = '\0';
  }
  ::execve(process.executable, process.prepared.argv.data(), process.prepared.envp.data());
  return failure(Step::ExecProcess, errno);
}

}  // namespace berth::init
