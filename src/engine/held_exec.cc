// SPDX-License-Identifier: Apache-2.0
#include "engine/held_exec.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "berth/process.h"
#include "berth/try.h"
#include "core/context.h"
#include "engine/container_inner.h"
#include "engine/executed.h"
#include "engine/explain.h"
#include "os/file.h"
#include "os/process.h"

namespace berth {
namespace engine {

Result<> execute(const HeldExec& held, pid_t pid, int pidfd) {
  // One that was killed does not listen; that it has not executed is found below.
  Result<> said = held.goes_on ? Result<>() : held.channel.start();
  const int error = said ? 0 : said.error().os_error();
  if (!said && error != EPIPE && error != ECONNRESET) return said;
  const Result<sync::Heard> heard = held.channel.hear();
  if (heard) return std::unexpected(explain(held.plan, heard->packet.failure));
  return check_executed({.pid = pid, .pidfd = pidfd});
}

void kill_and_reap(int pidfd) {
  (void)os::send_signal(pidfd, SIGKILL);
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED) < 0 && errno == EINTR) {
  }
}

void remove_pid_file(const std::string& path, pid_t pid) {
  if (path.empty()) return;
  const Result<std::string> text = os::read_file_at(AT_FDCWD, path.c_str(), 64);
  if (text && *text == std::to_string(pid)) (void)::unlink(path.c_str());
}

}  // namespace engine

Process::Inner::~Inner() {
  if (!held) return;
  engine::kill_and_reap(pidfd.get());
  engine::remove_pid_file(held->pid_file, pid);
}

Result<> Process::start() {
  if (!inner_->held)
    return fail(ErrorKind::WrongState, "process {} is not held by this handle", inner_->pid);
  Result<> done = engine::execute(*inner_->held, inner_->pid, inner_->pidfd.get());
  if (!done) {
    engine::kill_and_reap(inner_->pidfd.get());
    engine::remove_pid_file(inner_->held->pid_file, inner_->pid);
  }
  inner_->held.reset();
  return done;
}

}  // namespace berth
