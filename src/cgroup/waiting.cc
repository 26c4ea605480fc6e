// SPDX-License-Identifier: Apache-2.0
#include "cgroup/waiting.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

#include "berth/try.h"
#include "cgroup/writes.h"
#include "core/context.h"

namespace berth::cgroup {
namespace {

constexpr int kFreezeTimeoutMs = 10'000;
constexpr int kRefreezeEvery = 100;

void pause_microseconds(long microseconds) {
  const timespec time = {0, microseconds * 1000};
  ::nanosleep(&time, nullptr);
}

}  // namespace

int64_t now_ms() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1000 + now.tv_nsec / 1'000'000;
}

Result<bool> wait_for_event(const Directory& directory, std::string_view key, uint64_t value,
                            int timeout_ms) {
  Result<os::UniqueFd> events = directory.open_file("cgroup.events", O_RDONLY);
  if (!events && is_missing(events.error())) return true;
  const os::UniqueFd file = TRY(std::move(events));
  const int64_t deadline = now_ms() + timeout_ms;
  for (;;) {
    char text[256];
    const ssize_t size = ::pread(file.get(), text, sizeof text, 0);
    if (size < 0 && errno == ENODEV) return true;
    if (size < 0) return system_error(errno, "read {}/cgroup.events", directory.full_path());
    if (value_of({text, static_cast<size_t>(size)}, key) == value) return true;
    const int64_t left = deadline - now_ms();
    if (left <= 0) return false;
    pollfd change = {file.get(), POLLPRI, 0};
    ::poll(&change, 1, static_cast<int>(left));
  }
}

Result<> freeze_v2(const Directory& directory, Freezer state) {
  const bool freeze = state == Freezer::Frozen;
  TRY(directory.write("cgroup.freeze", freeze ? "1" : "0"));
  // A thawed cgroup may stay frozen by its parent: only the frozen state is waited for.
  if (!freeze || TRY(wait_for_event(directory, "frozen", 1, kFreezeTimeoutMs))) return {};
  (void)directory.write("cgroup.freeze", "0");
  return fail(ErrorKind::System, "cgroup {} did not freeze in {} ms", directory.full_path(),
              kFreezeTimeoutMs);
}

// v1 has no event for it, and a process that forks all the time can keep it in FREEZING until it is
// thawed once.
Result<> freeze_v1(const Directory& directory, Freezer state) {
  if (state == Freezer::Thawed) return directory.write("freezer.state", "THAWED");
  const int64_t deadline = now_ms() + kFreezeTimeoutMs;
  for (int round = 1; now_ms() < deadline; ++round) {
    if (round % kRefreezeEvery == 0) TRY(directory.write("freezer.state", "THAWED"));
    TRY(directory.write("freezer.state", "FROZEN"));
    if (trimmed(TRY(directory.read("freezer.state"))) == "FROZEN") return {};
    pause_microseconds(round < 10 ? 50 : 1000);
  }
  (void)directory.write("freezer.state", "THAWED");
  return fail(ErrorKind::System, "cgroup {} did not freeze in {} ms", directory.full_path(),
              kFreezeTimeoutMs);
}

Result<> signal_each(std::span<const pid_t> processes, int signal) {
  for (const pid_t process : processes) {
    if (::kill(process, signal) && errno != ESRCH)
      return system_error(errno, "signal process {}", process);
  }
  return {};
}

void sort_unique(std::vector<pid_t>& processes) {
  std::ranges::sort(processes);
  processes.erase(std::ranges::unique(processes).begin(), processes.end());
}

Result<> remove_waiting(Directory& directory, int64_t deadline) {
  for (int round = 0;; ++round) {
    Result<> removed = directory.remove();
    if (removed || removed.error().os_error() != EBUSY) return removed;
    const int64_t left = deadline - now_ms();
    if (left <= 0) break;
    if (directory.is_v2()) {
      // Empty and yet busy: a process is on its way out, or another program makes cgroups in it.
      if (TRY(wait_for_event(directory, "populated", 0, static_cast<int>(left))) && round > 0)
        pause_microseconds(200);
    } else {
      pause_microseconds(round < 5 ? 50 : 1000);
    }
  }
  std::vector<pid_t> left;
  TRY(directory.collect_processes(left));
  return fail(ErrorKind::WrongState, "remove cgroup {}: {} processes are still in it",
              directory.full_path(), left.size());
}

Result<> refuse_busy(const Directory& directory) {
  std::vector<pid_t> processes;
  TRY(directory.collect_processes(processes));
  if (processes.empty()) return {};
  return fail(ErrorKind::WrongState, "cgroup {}: cgroup is not empty", directory.full_path());
}

std::unexpected<Error> frozen_error(const Directory& directory) {
  return fail(ErrorKind::WrongState, "container's cgroup unexpectedly frozen: {}",
              directory.full_path());
}

}  // namespace berth::cgroup
