// SPDX-License-Identifier: Apache-2.0
#include "os/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <cstring>

#include "berth/try.h"
#include "core/context.h"
#include "core/populate.h"

namespace berth::os {

pid_t clone_child(const CloneRequest& request, int* pidfd) {
  struct clone_args args;
  memset(&args, 0, sizeof args);
  // Handlers of the caller must not run in the child (Linux 5.5).
  args.flags = request.flags | CLONE_PIDFD | CLONE_CLEAR_SIGHAND;
  args.pidfd = reinterpret_cast<uintptr_t>(pidfd);
  args.exit_signal = static_cast<uint64_t>(request.exit_signal);
  if (request.cgroup >= 0) {
    args.flags |= CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(request.cgroup);
  }
  const long pid = ::syscall(SYS_clone3, &args, sizeof args);
  if (pid == 0) populate_child();
  if (pid > 0) populate_parent();
  return pid < 0 ? -errno : static_cast<pid_t>(pid);
}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    kill_and_reap();
    pid_ = std::exchange(other.pid_, 0);
    pidfd_ = std::move(other.pidfd_);
  }
  return *this;
}

Result<WaitStatus> ChildProcess::wait() {
  siginfo_t info{};
  int result;
  do {
    result = ::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED);
  } while (result < 0 && errno == EINTR);
  if (result < 0) return system_error(errno, "wait for process {}", pid_);
  pid_ = 0;
  if (info.si_code == CLD_EXITED) return WaitStatus{.code = info.si_status};
  return WaitStatus{.signal = info.si_status};
}

Result<> ChildProcess::signal(int signal_number) const {
  return send_signal(pidfd_.get(), signal_number);
}

void ChildProcess::kill_and_reap() noexcept {
  if (pid_ <= 0) return;
  // A child that nobody has reaped has its pid to itself. Whatever fails, this must not wait for
  // ever.
  if (!send_signal(pidfd_.get(), SIGKILL)) (void)::kill(pid_, SIGKILL);
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  pidfd_.reset();
}

UniqueFd ChildProcess::release() {
  pid_ = 0;
  return std::move(pidfd_);
}

namespace {

[[noreturn]] void idle(pid_t parent) {
  // Who has ended before this could be asked for is not the parent any more.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || ::getppid() != parent) ::_exit(1);
  (void)::syscall(SYS_close_range, 0U, ~0U, 0U);
  for (;;) ::pause();
}

}  // namespace

Result<ChildProcess> start_idle_process() {
  const pid_t parent = ::getpid();
  int pidfd = -1;
  const pid_t pid = clone_child({}, &pidfd);
  if (pid == 0) idle(parent);
  if (pid < 0) return system_error(-pid, "clone a process");
  return ChildProcess(pid, UniqueFd(pidfd));
}

Result<UniqueFd> open_pidfd(pid_t pid) {
  const long fd = ::syscall(SYS_pidfd_open, pid, 0);
  if (fd >= 0) return UniqueFd(static_cast<int>(fd));
  if (errno == ESRCH) return fail(ErrorKind::NotFound, "no process {}", pid);
  return system_error(errno, "open a descriptor of process {}", pid);
}

Result<> send_signal(int pidfd, int signal_number) {
  if (::syscall(SYS_pidfd_send_signal, pidfd, signal_number, nullptr, 0) == 0) return {};
  if (errno == ESRCH) return fail(ErrorKind::WrongState, "no such process");
  return system_error(errno, "send signal {}", signal_number);
}

Result<bool> wait_exit(int pidfd, int timeout_milliseconds) {
  pollfd item{.fd = pidfd, .events = POLLIN, .revents = 0};
  int count;
  do {
    count = ::poll(&item, 1, timeout_milliseconds);
  } while (count < 0 && errno == EINTR);
  if (count < 0) return system_error(errno, "wait for a process");
  return count > 0;
}

namespace {

// PF_FORKNOEXEC of the kernel's sched.h. execve takes it away before it closes descriptors.
constexpr uint64_t kForkedWithoutExec = 0x40;

// struct pidfd_info of linux/pidfd.h in its first size: newer than Debian 12's headers.
struct PidfdStatus {
  uint64_t mask = 0;
  uint64_t cgroup = 0;
  uint32_t ids[11] = {};
  int32_t exit_code = 0;
};
static_assert(sizeof(PidfdStatus) == 64);
constexpr uint64_t kPidfdExit = 1 << 3;
constexpr unsigned long kPidfdGetInfo = _IOWR(0xff, 11, PidfdStatus);

WaitStatus from_wait(int status) {
  if (WIFEXITED(status)) return WaitStatus{.code = WEXITSTATUS(status)};
  return WaitStatus{.signal = WTERMSIG(status)};
}

// /proc/PID/stat from field 3 on, the state. Field 2, the command name, may hold anything: what
// follows starts at the last parenthesis.
class StatLine {
 public:
  explicit StatLine(pid_t pid) {
    char path[32] = "/proc/";
    char* end = std::to_chars(path + 6, path + sizeof path - 6, pid).ptr;
    memcpy(end, "/stat", 6);
    const UniqueFd file(::open(path, O_RDONLY | O_CLOEXEC));
    const ssize_t size = file ? ::read(file.get(), text_, sizeof text_ - 1) : -1;
    if (size <= 0) return;
    text_[size] = '\0';
    const char* name_end = strrchr(text_, ')');
    if (name_end != nullptr && name_end[1] != '\0') state_ = name_end + 2;
  }

  // '\0': no such process.
  char state() const { return state_ == nullptr ? '\0' : *state_; }

  std::optional<uint64_t> number(int field) const {
    const char* text = state_;
    for (int at = 3; at < field && text != nullptr; ++at) {
      text = strchr(text, ' ');
      if (text != nullptr) ++text;
    }
    if (text == nullptr) return {};
    uint64_t value = 0;
    std::from_chars(text, text_ + sizeof text_, value);
    return value;
  }

 private:
  char text_[1024] = {};
  const char* state_ = nullptr;
};

}  // namespace

std::optional<ProcessStat> stat_of(pid_t pid) {
  const StatLine line(pid);
  if (line.state() == '\0') return {};
  const uint64_t flags = line.number(9).value_or(0);
  return ProcessStat{.ended = line.state() == 'Z' || line.state() == 'X',
                     .executed = (flags & kForkedWithoutExec) == 0,
                     .start_time = line.number(22).value_or(0)};
}

std::optional<uint64_t> start_time(pid_t pid) {
  const std::optional<ProcessStat> stat = stat_of(pid);
  if (!stat || stat->ended) return {};
  return stat->start_time;
}

Execution execution_of(pid_t pid, uint64_t start_time) {
  const std::optional<ProcessStat> stat = stat_of(pid);
  if (!stat || (start_time != 0 && stat->start_time != start_time)) return Execution::Gone;
  return stat->executed ? Execution::Done : Execution::Never;
}

std::optional<WaitStatus> status_of_reaped(int pidfd) {
  PidfdStatus status{.mask = kPidfdExit};
  if (::ioctl(pidfd, kPidfdGetInfo, &status) < 0 || (status.mask & kPidfdExit) == 0) return {};
  return from_wait(status.exit_code);
}

std::optional<WaitStatus> status_of_zombie(pid_t pid, uint64_t start_time) {
  constexpr int kExitCode = 52;
  const StatLine line(pid);
  if (line.state() != 'Z' || line.number(22) != start_time) return {};
  const std::optional<uint64_t> code = line.number(kExitCode);
  // Who may not trace it reads 0. This call asks for the same right, and does nothing.
  void* list = nullptr;
  size_t size = 0;
  if (!code || ::syscall(SYS_get_robust_list, pid, &list, &size) < 0) return {};
  return from_wait(static_cast<int>(*code));
}

}  // namespace berth::os
