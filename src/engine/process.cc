// SPDX-License-Identifier: Apache-2.0
#include "berth/process.h"

#include <errno.h>
#include <sys/wait.h>

#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "os/process.h"

namespace berth {

Process::Process(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Process::Process(Process&&) noexcept = default;
Process& Process::operator=(Process&&) noexcept = default;
Process::~Process() = default;

pid_t Process::pid() const { return inner_->pid; }
int Process::pidfd() const { return inner_->pidfd.get(); }
int Process::console() const { return inner_->console.get(); }

int Process::notify() const { return inner_->notify.fd(); }
Result<> Process::pass_notification() {
  (void)TRY(inner_->notify.pass_on(0));
  return {};
}

Result<ExitStatus> Process::wait() {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(inner_->pidfd.get()), &info, WEXITED) < 0) {
    if (errno != EINTR) return system_error(errno, "wait for process {}", inner_->pid);
  }
  if (inner_->held) {  // killed before it was started
    engine::remove_pid_file(inner_->held->pid_file, inner_->pid);
    inner_->held.reset();
  }
  if (info.si_code == CLD_EXITED) return ExitStatus{.code = info.si_status};
  return ExitStatus{.signal = info.si_status};
}

Result<> Process::signal(int signal_number) {
  return os::send_signal(inner_->pidfd.get(), signal_number);
}

}  // namespace berth
