// SPDX-License-Identifier: Apache-2.0
// executed FILE COMMAND...: runs the command and all that it starts a step at a time, and adds to
// the file which places of its program are executed: the address of each 16 bytes, in hexadecimal,
// in the order of the first time. What it executes itself (a container's program) runs freely.
// scripts/order_text.py reads it. By ptrace(2).
#include <elf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GRAIN = 16, MOST_PROCESSES = 64 };

static struct stat program;
static unsigned char* seen;
static FILE* places;

struct traced {
  pid_t pid;
  unsigned long base;  // 0: not this program
};
static struct traced all[MOST_PROCESSES];

static unsigned long base_of(pid_t pid) {
  char path[64];
  struct stat now;
  unsigned long base = 0;
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  if (stat(path, &now) != 0 || now.st_size != program.st_size) return 0;
  snprintf(path, sizeof path, "/proc/%d/maps", pid);
  FILE* maps = fopen(path, "re");
  if (maps == NULL) return 0;
  // Its heap lies in front of it, once it has one.
  char line[512];
  unsigned long begin, offset, file;
  while (base == 0 && fgets(line, sizeof line, maps) != NULL) {
    const int found = sscanf(line, "%lx-%*x %*s %lx %*s %lu", &begin, &offset, &file);
    if (found == 3 && offset == 0 && file == program.st_ino) base = begin;
  }
  fclose(maps);
  return base;
}

static struct traced* find(pid_t pid) {
  struct traced* unused = NULL;
  for (struct traced* one = all; one < all + MOST_PROCESSES; one++) {
    if (one->pid == pid) return one;
    if (one->pid == 0 && unused == NULL) unused = one;
  }
  if (unused == NULL) exit(2);
  unused->pid = pid;
  unused->base = base_of(pid);
  return unused;
}

static unsigned long counter(pid_t pid) {
  struct user_regs_struct registers;
  struct iovec part = {&registers, sizeof registers};
  if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &part) != 0) return 0;
#ifdef __x86_64__
  return registers.rip;
#else
  return registers.pc;
#endif
}

static void look(const struct traced* one) {
  unsigned long place = counter(one->pid) - one->base;
  if (place >= (unsigned long)program.st_size * 2 || seen[place / GRAIN]) return;
  seen[place / GRAIN] = 1;
  fprintf(places, "%lx\n", place / GRAIN * GRAIN);
}

// The first stop of a process is in its start or its execve.
static void start(char** command) {
  ptrace(PTRACE_TRACEME, 0, 0, 0);
  raise(SIGSTOP);
  execv(command[0], command);
  _exit(127);
}

static void step(pid_t pid, int status) {
  struct traced* one = find(pid);
  int number = WSTOPSIG(status);
  if (status >> 16 == PTRACE_EVENT_EXEC) {
    one->base = base_of(pid);
    if (one->base == 0) {
      one->pid = 0;
      ptrace(PTRACE_DETACH, pid, 0, 0);
      return;
    }
  }
  if (one->base != 0) look(one);
  if (number == SIGTRAP || number == SIGSTOP) number = 0;
  ptrace(PTRACE_SINGLESTEP, pid, 0, number);
}

int main(int argc, char** argv) {
  int status = 0, code = 0;
  if (argc < 3 || stat(argv[2], &program) != 0 || (places = fopen(argv[1], "ae")) == NULL) return 2;
  seen = calloc(1, (size_t)program.st_size * 2 / GRAIN + 1);
  pid_t first = fork();
  if (first == 0) start(argv + 2);
  waitpid(first, &status, 0);
  ptrace(PTRACE_SETOPTIONS, first, 0,
         PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE | PTRACE_O_TRACEEXEC |
             PTRACE_O_EXITKILL);
  ptrace(PTRACE_SINGLESTEP, first, 0, 0);
  for (pid_t pid; (pid = waitpid(-1, &status, __WALL)) > 0;) {
    if (WIFSTOPPED(status)) {
      step(pid, status);
      continue;
    }
    find(pid)->pid = 0;
    if (pid == first) code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  return fclose(places) == 0 ? code : 2;
}
