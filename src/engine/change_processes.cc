// SPDX-License-Identifier: Apache-2.0
#include "engine/change_processes.h"

#include <errno.h>
#include <sys/resource.h>

#include <algorithm>

#include "berth/try.h"
#include "core/context.h"
#include "engine/favour_process.h"

namespace berth::engine {
namespace {

// A container that starts processes without end is not waited for: after some rounds all new ones
// have what they have from a parent that was changed.
constexpr int kMostRounds = 100;

bool has_ended(int error) { return error == -ESRCH; }

// What a call on a process that may end at any time has to say.
Result<> outcome(int error, pid_t id, std::string_view what, std::string_view hint = {}) {
  if (error == 0 || has_ended(error)) return {};
  return system_error(-error, "{} of process {}{}", what, id, hint);
}

int change_rlimit(pid_t pid, int resource, const rlimit* wanted, rlimit* old) {
  const auto which = static_cast<__rlimit_resource>(resource);
  return ::prlimit(pid, which, wanted, old) < 0 ? -errno : 0;
}

}  // namespace

bool ProcessChange::knows(pid_t pid) const {
  return std::ranges::any_of(processes_,
                             [pid](const Process& process) { return process.held.pid() == pid; });
}

// Held first, then looked for once more: who is among the members while it is held belongs to them.
Result<bool> ProcessChange::find_new() {
  // Of one that has ended the number may be another's by now.
  std::erase_if(processes_, [](const Process& process) { return !process.held.is_there(); });
  std::vector<HeldProcess> candidates;
  for (const pid_t pid : TRY(members_())) {
    if (pid <= 0 || knows(pid)) continue;
    Result<HeldProcess> held = HeldProcess::hold(pid);
    if (held)
      candidates.push_back(std::move(*held));
    else if (held.error().kind() != ErrorKind::NotFound)  // too many open files
      return std::unexpected(std::move(held).error());
  }
  if (candidates.empty()) return false;
  const std::vector<pid_t> members = TRY(members_());
  bool found = false;
  for (HeldProcess& held : candidates) {
    const bool belongs = std::ranges::find(members, held.pid()) != members.end();
    if (!belongs || !held.is_there()) continue;
    processes_.push_back({.held = std::move(held)});
    TRY(change(processes_.back()));
    found = true;
  }
  return found;
}

Result<bool> ProcessChange::change_threads(Process& process) {
  bool found = false;
  for (const pid_t id : process.held.threads()) {
    const bool known = std::ranges::find(process.threads, id, &Thread::id) != process.threads.end();
    if (known) continue;
    process.threads.push_back({.id = id});
    TRY(change(process, process.threads.back()));
    found = true;
  }
  return found;
}

Result<> ProcessChange::apply() {
  TRY(change_until_known(false));
  return plan_.rlimits.empty() ? Result<>() : change_until_known(true);
}

Result<> ProcessChange::change_until_known(bool with_rlimits) {
  const bool of_threads = plan_.scheduler || plan_.io_priority || !plan_.cpus.empty();
  for (int round = 0; round < kMostRounds; ++round) {
    bool found = TRY(find_new());
    for (Process& process : processes_) {
      if (of_threads) found = TRY(change_threads(process)) || found;
      if (with_rlimits && process.rlimits.empty()) TRY(limit(process));
    }
    if (!found) return {};
  }
  return {};
}

Result<> ProcessChange::change(Process& process) {
  if (!plan_.oom_score_adj) return {};
  const auto failed = [&process](Error error) -> Result<> {
    if (!process.held.is_there()) return {};
    return Result<>(std::unexpected(std::move(error))) |
           context("set oom_score_adj of process {}", process.held.pid()) |
           at("/process/oomScoreAdj");
  };
  Result<std::string> old = process.held.read("oom_score_adj");
  if (!old) return failed(std::move(old).error());
  process.oom_score_adj = std::move(*old);
  Result<> done = process.held.write("oom_score_adj", std::to_string(*plan_.oom_score_adj));
  return done ? Result<>() : failed(std::move(done).error());
}

Result<> ProcessChange::limit(Process& process) {
  const pid_t pid = process.held.pid();
  for (const plan::RlimitItem& item : plan_.rlimits) {
    if (!process.held.is_there()) return {};
    plan::RlimitItem old = item;
    TRY(outcome(change_rlimit(pid, item.resource, nullptr, &old.limit), pid, "read a limit") |
        at(item.pointer));
    process.rlimits.push_back(old);
    TRY(outcome(change_rlimit(pid, item.resource, &item.limit, nullptr), pid, "set a limit") |
        at(item.pointer));
  }
  return {};
}

Result<> ProcessChange::change(const Process& process, Thread& thread) {
  if (!process.held.is_there() || !process.held.has_thread(thread.id)) return {};
  const pid_t id = thread.id;
  if (plan_.scheduler) {
    os::SchedulerAttributes old;
    if (os::get_scheduler(id, old) == 0) thread.scheduler = old;
    const int error = os::set_scheduler(id, scheduler_attributes(*plan_.scheduler));
    const char* hint = error == -EPERM ? scheduler_hint(plan_.scheduler->policy) : "";
    TRY(outcome(error, id, "set the scheduler", hint) | at("/process/scheduler"));
  }
  if (plan_.io_priority) {
    const int old = os::get_io_priority(id);
    if (old >= 0) thread.io_priority = old;
    TRY(outcome(os::set_io_priority(id, *plan_.io_priority), id, "set the I/O priority") |
        at("/process/ioPriority"));
  }
  if (!plan_.cpus.empty()) {
    (void)os::get_affinity(id, thread.cpus);
    TRY(outcome(os::set_affinity(id, plan_.cpus), id, "set the CPUs",
                " (are they online, and in the container's cpuset?)") |
        at("/process/execCPUAffinity/final"));
  }
  return {};
}

// All is tried; the first failure is told.
Result<> ProcessChange::undo() {
  Result<> failure;
  const auto note = [&failure](Result<> result) {
    if (!result && failure) failure = std::move(result);
  };
  for (; !processes_.empty(); processes_.pop_back()) {
    const Process& process = processes_.back();
    for (const Thread& thread : process.threads) note(undo(process, thread));
    note(undo(process));
  }
  return failure;
}

Result<> ProcessChange::undo(const Process& process, const Thread& thread) {
  if (!process.held.is_there() || !process.held.has_thread(thread.id)) return {};
  const pid_t id = thread.id;
  int error = 0;
  if (!thread.cpus.empty()) error = os::set_affinity(id, thread.cpus);
  TRY(outcome(error, id, "set back the CPUs"));
  if (thread.io_priority) error = os::set_io_priority(id, *thread.io_priority);
  TRY(outcome(error, id, "set back the I/O priority"));
  if (thread.scheduler) error = os::set_scheduler(id, *thread.scheduler);
  return outcome(error, id, "set back the scheduler");
}

Result<> ProcessChange::undo(const Process& process) {
  const pid_t pid = process.held.pid();
  for (const plan::RlimitItem& old : process.rlimits) {
    if (!process.held.is_there()) return {};
    TRY(outcome(change_rlimit(pid, old.resource, &old.limit, nullptr), pid, "set back a limit"));
  }
  if (process.oom_score_adj.empty()) return {};
  Result<> done = process.held.write("oom_score_adj", process.oom_score_adj);
  if (done || !process.held.is_there()) return {};
  return std::move(done) | context("set back oom_score_adj of process {}", pid);
}

}  // namespace berth::engine
