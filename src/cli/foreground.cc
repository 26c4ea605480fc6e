// SPDX-License-Identifier: Apache-2.0
#include "cli/foreground.h"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <utility>

#include "berth/try.h"
#include "cli/log.h"
#include "cli/relay.h"
#include "core/context.h"

namespace berth::cli {
namespace {

// Reaps adopted processes, but never the one that we stay with: its status belongs to
// Process::wait; 0: there is none any more.
void reap_adopted(pid_t own) {
  while (true) {
    siginfo_t ended = {};
    if (waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    if (ended.si_pid == 0 || ended.si_pid == own) return;
    (void)waitid(P_PID, static_cast<id_t>(ended.si_pid), &ended, WEXITED | WNOHANG);
  }
}

void take_signal(const Signals& signals, Process& process, std::optional<TerminalRelay>& relay) {
  const int number = signals.next();
  if (number == SIGCHLD) {
    reap_adopted(process.pid());
  } else if (number == SIGWINCH) {
    if (relay) relay->copy_size();
  } else if (is_passed_on(number)) {
    // It may have ended just now; then there is nobody to tell.
    (void)process.signal(number);
  }
}

void pass_notification(Process& process) {
  auto passed = process.pass_notification();
  if (!passed) log(LogLevel::Warning, passed.error().message());
}

Result<std::optional<TerminalRelay>> relay_for(const Process& process) {
  std::optional<TerminalRelay> relay;
  if (process.console() >= 0) relay.emplace(TRY(TerminalRelay::open(process.console())));
  return relay;
}

}  // namespace

Result<Signals> Signals::take() {
  sigset_t wanted, before;
  sigfillset(&wanted);
  // A fault of our own must stay deadly; blocking SIGURG and SIGPIPE would only make them pile up.
  for (int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGURG, SIGPIPE}) {
    sigdelset(&wanted, number);
  }
  if (sigprocmask(SIG_BLOCK, &wanted, &before) != 0) return system_error(errno, "block signals");
  int descriptor = signalfd(-1, &wanted, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) {
    int problem = errno;
    sigprocmask(SIG_SETMASK, &before, nullptr);
    return system_error(problem, "signalfd");
  }
  return Signals(descriptor, before);
}

Signals::Signals(Signals&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), before_(other.before_) {}

Signals::~Signals() {
  if (descriptor_ < 0) return;
  close(descriptor_);
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

int Signals::next() const {
  signalfd_siginfo info = {};
  if (read(descriptor_, &info, sizeof info) != sizeof info) return 0;
  return static_cast<int>(info.ssi_signo);
}

// SIGCHLD and SIGWINCH are for us.
bool is_passed_on(int signal_number) {
  return signal_number != 0 && signal_number != SIGCHLD && signal_number != SIGWINCH &&
         signal_number != SIGURG && signal_number != SIGPIPE;
}

Result<> become_subreaper() {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) {
    return system_error(errno, "become the reaper of orphans");
  }
  return {};
}

Result<ExitStatus> stay_with(Process& process, const Signals& signals) {
  write_held_lines();
  // Only now: what is ignored stays so for the container's program.
  (void)signal(SIGPIPE, SIG_IGN);
  auto relay = TRY(relay_for(process));
  enum { kEnd, kSignals, kNotify, kRelay };
  pollfd watched[kRelay + TerminalRelay::kDescriptors] = {{process.pidfd(), POLLIN, 0},
                                                          {signals.descriptor(), POLLIN, 0},
                                                          {process.notify(), POLLIN, 0}};
  size_t count = relay ? std::size(watched) : static_cast<size_t>(kRelay);
  while (true) {
    if (relay) relay->ask(watched + kRelay);
    if (poll(watched, count, -1) < 0 && errno != EINTR) return system_error(errno, "poll");
    if (watched[kSignals].revents != 0) take_signal(signals, process, relay);
    if (watched[kNotify].revents != 0) pass_notification(process);
    if (relay) relay->move(watched + kRelay);
    if (watched[kEnd].revents != 0) break;
  }
  if (relay) relay->finish();
  const ExitStatus status = TRY(process.wait());
  reap_adopted(0);
  return status;
}

}  // namespace berth::cli
