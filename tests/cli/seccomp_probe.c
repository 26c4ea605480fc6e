// SPDX-License-Identifier: Apache-2.0
// Makes system calls in a container and says what became of them, one line each.
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static long words[7];  // the number and the arguments

static void on_sigsys(int number, siginfo_t* info, void* context) {
  (void)number;
  (void)context;
  printf("trapped %d %d\n", info->si_syscall, info->si_errno);
  fflush(stdout);
  _exit(0);
}

static void say(long result) {
  printf("%s %d\n", result == -1 && errno ? "failed" : "done", result == -1 ? errno : 0);
  fflush(stdout);
}

static void* call(void* unused) {
  (void)unused;
  errno = 0;
  say(syscall(words[0], words[1], words[2], words[3], words[4], words[5], words[6]));
  return NULL;
}

// The door for 32-bit programs, with a path that 32 bits can name.
static void call_narrow(void) {
  char* path =
      mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
  strcpy(path, "/tmp/made");
  long result = words[0];
  long first = words[1] ? words[1] : (long)path;
  __asm__ volatile("int $0x80" : "+a"(result) : "b"(first), "c"(words[2]) : "memory");
  errno = result < 0 ? (int)-result : 0;
  say(result < 0 ? -1 : 0);
}

// probe call|path|narrow|thread NUMBER [ARGUMENT...]; path: the first argument is one.
static void perform(char** at, int count) {
  for (int i = 0; i < 7; ++i) words[i] = i + 1 < count ? (long)strtoull(at[i + 1], NULL, 0) : 0;
  if (strcmp(at[0], "path") == 0) words[1] = (long)(uintptr_t)"/tmp/made";
  if (strcmp(at[0], "narrow") == 0) {
    call_narrow();
  } else if (strcmp(at[0], "thread") == 0) {
    pthread_t thread;
    pthread_create(&thread, NULL, call, NULL);
    pthread_join(thread, NULL);
    puts("the others live");
  } else {
    call(NULL);
  }
}

// Several, with -- between them.
int main(int count, char** at) {
  struct sigaction action = {.sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO};
  sigaction(SIGSYS, &action, NULL);
  for (int i = 1; i < count;) {
    int end = i;
    while (end < count && strcmp(at[end], "--") != 0) ++end;
    perform(at + i, end - i);
    i = end + 1;
  }
  return 0;
}
