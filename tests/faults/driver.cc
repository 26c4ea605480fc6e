// SPDX-License-Identifier: Apache-2.0
// Runs a command and, at the N-th state-changing system call of its whole tree of processes, fails
// the call or kills. See usage().
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <map>
#include <string>
#include <string_view>

#include "calls.h"

namespace {

constexpr int kHangSeconds = 10;
constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |
                          PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC;

enum class Fault { None, Fail, KillMain, KillCaller, KillAll };

struct Request {
  const char* report = nullptr;
  long at = 0;
  Fault fault = Fault::None;
  int error = 0;
  std::string_view without = {};
  char** command = nullptr;
};

// Which program a process runs: what hooks and containers do is not the command's doing.
struct ProgramFile {
  dev_t device = 0;
  ino_t inode = 0;
  bool operator==(const ProgramFile&) const = default;
};

struct Tracee {
  int error = 0;  // of the call that it is in, which is skipped; 0: it is not
};

struct Run {
  Request request;
  std::map<pid_t, Tracee> tracees = {};
  pid_t main = 0;
  ProgramFile program = {};  // of the command; nothing counts before its execve
  long points = 0;
  std::string call = {};
  bool by_main = false;
  int status = -1;
  bool hung = false;
};

volatile sig_atomic_t alarm_rang = 0;
void on_alarm(int) { alarm_rang = 1; }

[[noreturn]] void usage() {
  fputs(
      "usage: driver --report FILE [--at N FAULT] [--without CALL] -- COMMAND [ARGUMENT...]\n"
      "FAULT: a number (the call is skipped and returns this errno), or main, caller, all\n"
      "       (that process, or all, get SIGKILL before the call). Without --at: counts.\n"
      "CALL: a system call that this kernel is not to have (ENOSYS).\n"
      "FILE gets a line of: points, name of the call, 1 when the main process made it, exit code\n"
      "of the command (128 + signal), 1 when it had to be ended after 10 s.\n",
      stderr);
  exit(2);
}

ProgramFile program_of(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/exe";
  struct stat status{};
  if (stat(path.c_str(), &status) < 0) return {};
  return {.device = status.st_dev, .inode = status.st_ino};
}

void kill_all(const Run& run) {
  for (const auto& [pid, tracee] : run.tracees) kill(pid, SIGKILL);
}

Request read_request(int count, char** words) {
  Request request;
  int index = 1;
  for (; index < count && strcmp(words[index], "--") != 0; ++index) {
    const std::string_view word = words[index];
    if (word == "--report" && index + 1 < count) {
      request.report = words[++index];
    } else if (word == "--at" && index + 2 < count) {
      request.at = atol(words[++index]);
      const std::string_view fault = words[++index];
      request.fault = fault == "main"     ? Fault::KillMain
                      : fault == "caller" ? Fault::KillCaller
                      : fault == "all"    ? Fault::KillAll
                                          : Fault::Fail;
      if (request.fault == Fault::Fail) request.error = atoi(words[index]);
      if (request.fault == Fault::Fail && request.error <= 0) usage();
    } else if (word == "--without" && index + 1 < count) {
      request.without = words[++index];
    } else {
      usage();
    }
  }
  request.command = words + index + 1;
  if (index + 1 >= count || request.report == nullptr) usage();
  return request;
}

// The error with which the call is skipped, or 0.
int strike(Run& run, pid_t pid, const char* name) {
  run.call = name;
  run.by_main = pid == run.main;
  switch (run.request.fault) {
    case Fault::KillMain: kill(run.main, SIGKILL); break;
    case Fault::KillCaller: kill(pid, SIGKILL); break;
    case Fault::KillAll: kill_all(run); break;
    default: return run.request.error;
  }
  return 0;
}

void on_call(Run& run, pid_t pid) {
  __ptrace_syscall_info info{};
  if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0) return;
  Tracee& tracee = run.tracees[pid];
  if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
    if (tracee.error == 0) return;
    ptrace(PTRACE_POKEUSER, pid, 8 * 10, static_cast<long>(-tracee.error));  // rax
    tracee.error = 0;
    return;
  }
  if (info.op != PTRACE_SYSCALL_INFO_ENTRY || run.program.inode == 0) return;
  const char* name = state_change(info.entry.nr, std::span<const uint64_t, 6>(info.entry.args, 6));
  if (name == nullptr || program_of(pid) != run.program) return;
  if (name == run.request.without) tracee.error = ENOSYS;
  if (++run.points == run.request.at) tracee.error = strike(run, pid, name);
  if (tracee.error == 0) return;
  ptrace(PTRACE_POKEUSER, pid, 8 * 15, -1L);  // orig_rax: no call
}

// What the tracee gets when it goes on.
int signal_of_stop(Run& run, pid_t pid, int status) {
  const int signal = WSTOPSIG(status);
  const int event = status >> 16;
  if (signal == (SIGTRAP | 0x80)) {
    on_call(run, pid);
    return 0;
  }
  if (event == PTRACE_EVENT_EXEC && pid == run.main) run.program = program_of(pid);
  return event != 0 ? 0 : signal;
}

// A stop of the whole group (SIGSTOP) lasts until SIGCONT comes.
bool is_group_stop(int status) {
  const int signal = WSTOPSIG(status);
  return status >> 16 == PTRACE_EVENT_STOP && signal != SIGTRAP;
}

// Until the main process has ended; the other ones go on without us.
void follow(Run& run) {
  for (;;) {
    int status = 0;
    const pid_t pid = waitpid(-1, &status, __WALL);
    if (alarm_rang != 0 && !run.hung) {
      run.hung = true;
      kill_all(run);
    }
    if (pid < 0 && errno == EINTR) continue;
    if (pid < 0) return;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      run.tracees.erase(pid);
      if (pid != run.main) continue;
      run.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      return;
    }
    run.tracees.try_emplace(pid);
    if (is_group_stop(status)) {
      ptrace(PTRACE_LISTEN, pid, 0, 0);
      continue;
    }
    ptrace(PTRACE_SYSCALL, pid, 0, static_cast<long>(signal_of_stop(run, pid, status)));
  }
}

// The child waits until it is traced: its execve is the first thing that is seen.
pid_t start(char** command) {
  int gate[2];
  if (pipe(gate) < 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    char byte;
    close(gate[1]);
    if (read(gate[0], &byte, 1) != 1) _exit(126);
    close(gate[0]);
    execvp(command[0], command);
    _exit(127);
  }
  close(gate[0]);
  if (child > 0 && ptrace(PTRACE_SEIZE, child, 0, kOptions) == 0) {
    ptrace(PTRACE_INTERRUPT, child, 0, 0);
    if (write(gate[1], "", 1) == 1) {
      close(gate[1]);
      return child;
    }
  }
  kill(child, SIGKILL);
  return -1;
}

}  // namespace

int main(int count, char** words) {
  Run run{.request = read_request(count, words)};
  struct sigaction action{};
  action.sa_handler = on_alarm;  // without SA_RESTART: waitpid is to return
  sigaction(SIGALRM, &action, nullptr);
  alarm(kHangSeconds);
  run.main = start(run.request.command);
  if (run.main < 0) {
    perror("trace the command");
    return 2;
  }
  run.tracees.try_emplace(run.main);
  follow(run);
  FILE* report = fopen(run.request.report, "w");
  if (report == nullptr) return 2;
  fprintf(report, "%ld %s %d %d %d\n", run.points, run.call.empty() ? "-" : run.call.c_str(),
          run.by_main, run.status, run.hung);
  return fclose(report) == 0 ? 0 : 2;
}
