// SPDX-License-Identifier: Apache-2.0
// Runs groups of commands in rounds, the groups in a new random order every round, and writes one
// line for each timed command: LABEL ROUND WALL_NS CPU_US MAXRSS_KB MINFLT SWITCHES STATUS. The
// report is made elsewhere, since this program must stay small: a child's peak memory starts from
// that of the process it was forked from.
//
// A plan has one step a line, words separated by single spaces:
//   group NAME          what follows belongs together and keeps its order
//   time LABEL ARGV...  measure
//   ask LABEL SOCKET WORD...  measure what a resident program (resident.cc) does; only the wall
//   time do ARGV...          prepare; when it fails, so does the rest of the group in this round
//   wait PIDFILE        until the process named there is gone
//   cleanup ARGV...     whatever happened; may fail
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
  kPlanSize = 48 * 1024,
  kMaxSteps = 512,
  kMaxGroups = 64,
  kMaxWords = 32,
  kLimitSeconds = 60
};

struct step {
  char kind;  // t, a, d, w or c
  char* words;
};

struct group {
  int first, end;
};

struct sample {
  long long wall_ns;
  struct rusage usage;
  int status;
};

static char plan[kPlanSize];
static struct step steps[kMaxSteps];
static struct group groups[kMaxGroups];
static int step_count, group_count;
static int null_fd, log_fd = 2;
static volatile pid_t current;

static void die(const char* what) {
  dprintf(2, "pbench: %s: %s\n", what, strerror(errno));
  exit(125);
}

static long long now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000LL + time.tv_nsec;
}

// Since Linux 5.11 no memory of BPF is charged to RLIMIT_MEMLOCK, but some programs still raise it
// and give up where they may not. This makes such a call succeed and do nothing; other calls do not
// run the filter, as the kernel keeps a bitmap of those always allowed.
static void allow_raising_memlock(void) {
  const unsigned number = offsetof(struct seccomp_data, nr);
  const unsigned arguments = offsetof(struct seccomp_data, args);
  struct sock_filter code[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, number),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_setrlimit, 5, 0),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_prlimit64, 0, 7),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arguments + 16),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 5, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arguments + 8),
      BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, arguments),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, RLIMIT_MEMLOCK, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog program = {.len = sizeof code / sizeof *code, .filter = code};
  if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program)) die("seccomp");
}

static void add_step(char* line) {
  char* words = strchr(line, ' ');
  if (!words) die(line);
  *words++ = 0;
  if (!strcmp(line, "group")) {
    if (group_count == kMaxGroups) die("too many groups");
    groups[group_count++] = (struct group){step_count, step_count};
    return;
  }
  if (!group_count || step_count == kMaxSteps) die("no group yet, or too many steps");
  steps[step_count++] = (struct step){*line, words};
  groups[group_count - 1].end = step_count;
}

static void read_plan(const char* path) {
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? -1 : read(fd, plan, sizeof plan - 1);
  if (size < 0 || size == sizeof plan - 1) die(path);
  close(fd);
  char* rest = plan;
  for (char* line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n")) {
    if (*line) add_step(line);
  }
}

// Into a copy: the plan is used again in the next round.
static void split(char* words, char** argv) {
  static char copy[4096];
  int count = 0;
  if (strlen(words) >= sizeof copy) die("line too long");
  char* rest = strcpy(copy, words);
  for (char* word = strsep(&rest, " "); word && count < kMaxWords - 1; word = strsep(&rest, " "))
    argv[count++] = word;
  argv[count] = NULL;
}

static void on_alarm(int signal) {
  (void)signal;
  if (current > 0) kill(current, SIGKILL);
}

// As a subreaper, this program also gets the containers' processes, which must not stay zombies
// while it waits.
static int wait_for(pid_t pid, struct rusage* usage) {
  int status;
  for (;;) {
    pid_t gone = wait4(-1, &status, 0, usage);
    if (gone == pid) return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    if (gone < 0 && errno != EINTR) die("wait4");
  }
}

static struct sample execute(char* words, int error_fd) {
  char* argv[kMaxWords];
  struct sample result;
  split(words, argv);
  alarm(kLimitSeconds);
  const long long begin = now_ns();
  pid_t pid = vfork();
  if (pid < 0) die("vfork");
  if (!pid) {
    dup2(null_fd, 0);
    dup2(null_fd, 1);
    dup2(error_fd, 2);
    execv(argv[0], argv);
    _exit(126);
  }
  current = pid;
  result.status = wait_for(pid, &result.usage);
  result.wall_ns = now_ns() - begin;
  current = 0;
  alarm(0);
  return result;
}

static long microseconds(struct timeval time) { return time.tv_sec * 1000000 + time.tv_usec; }

static int measure(char* words, int round) {
  char* command = strchr(words, ' ') + 1;
  struct sample sample = execute(command, log_fd);
  const struct rusage* usage = &sample.usage;
  printf("%.*s %d %lld %ld %ld %ld %ld %d\n", (int)(command - words - 1), words, round,
         sample.wall_ns, microseconds(usage->ru_utime) + microseconds(usage->ru_stime),
         usage->ru_maxrss, usage->ru_minflt, usage->ru_nvcsw + usage->ru_nivcsw, sample.status);
  return sample.status;
}

// Connected once: the resident program serves one client.
static int connect_to(const char* path) {
  static char connected[108];
  static int connection = -1;
  if (connection >= 0 && !strcmp(connected, path)) return connection;
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof address.sun_path) die(path);
  strcpy(address.sun_path, path);
  if (connection >= 0) close(connection);
  connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connection < 0 || connect(connection, (struct sockaddr*)&address, sizeof address)) die(path);
  strcpy(connected, path);
  return connection;
}

static int ask(char* words, int round) {
  char copy[4096], status = 1;
  if (strlen(words) >= sizeof copy) die("line too long");
  char* rest = strcpy(copy, words);
  const char* label = strsep(&rest, " ");
  const int socket = connect_to(strsep(&rest, " "));
  for (char* at = rest; *at; ++at) *at = *at == ' ' ? '\n' : *at;
  const long long begin = now_ns();
  if (write(socket, rest, strlen(rest)) < 0 || read(socket, &status, 1) != 1) die("ask");
  printf("%s %d %lld 0 0 0 0 %d\n", label, round, now_ns() - begin, status);
  return status;
}

static int wait_until_gone(const char* pid_file) {
  char text[32] = {0};
  int fd = open(pid_file, O_RDONLY | O_CLOEXEC);
  if (fd < 0 || read(fd, text, sizeof text - 1) <= 0) return 1;
  close(fd);
  struct pollfd process = {.fd = (int)syscall(SYS_pidfd_open, atoi(text), 0), .events = POLLIN};
  if (process.fd < 0) return errno != ESRCH;
  int ended = poll(&process, 1, kLimitSeconds * 1000);
  close(process.fd);
  while (waitpid(-1, NULL, WNOHANG) > 0) continue;
  return ended != 1;
}

static int run_step(const struct step* step, int round) {
  switch (step->kind) {
    case 't': return measure(step->words, round);
    case 'a': return ask(step->words, round);
    case 'd': return execute(step->words, log_fd).status;
    case 'w': return wait_until_gone(step->words);
    case 'c': execute(step->words, null_fd); return 0;
    default: die("unknown step"); return 1;
  }
}

static void run_group(const struct group* group, int round) {
  int failed = 0;
  for (int i = group->first; i < group->end; ++i) {
    if (!failed || steps[i].kind == 'c') failed |= run_step(&steps[i], round);
  }
}

static void run_round(int round, int gap_ms) {
  const struct timespec gap = {gap_ms / 1000, gap_ms % 1000 * 1000000L};
  for (int i = group_count - 1; i > 0; --i) {
    int j = (int)(random() % (i + 1));
    struct group other = groups[i];
    groups[i] = groups[j];
    groups[j] = other;
  }
  for (int i = 0; i < group_count; ++i) {
    // Not a wait for something: containers rarely start back to back, and what the kernel still
    // tears down of the previous group must not be counted against this one.
    nanosleep(&gap, NULL);
    run_group(&groups[i], round);
  }
  fflush(stdout);
}

static void prepare(const char* log) {
  const struct sigaction action = {.sa_handler = on_alarm};
  sigaction(SIGALRM, &action, NULL);
  null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
  log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  // Other work on the machine would be measured otherwise; what is run here inherits it. Real-time
  // scheduling would be stricter, but a new v1 cpu cgroup takes no such process.
  if (setpriority(PRIO_PROCESS, 0, -20)) dprintf(2, "pbench: runs at normal priority\n");
  if (null_fd < 0 || log_fd < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1)) die(log);
}

int main(int argc, char** argv) {
  if (argc > 2 && !strcmp(argv[1], "allow-memlock")) {
    allow_raising_memlock();
    execv(argv[2], argv + 2);
    die(argv[2]);
  }
  if (argc != 6) {
    dprintf(2,
            "usage: pbench PLAN LOG ROUNDS GAP_MS SEED > samples\n       pbench allow-memlock "
            "PROGRAM ARG...\n");
    return 2;
  }
  read_plan(argv[1]);
  prepare(argv[2]);
  srandom((unsigned)atoi(argv[5]));
  // Round 0 warms the caches; the report leaves it out.
  for (int round = 0; round <= atoi(argv[3]); ++round) run_round(round, atoi(argv[4]));
  return 0;
}
