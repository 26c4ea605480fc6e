/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From C: runs the container of a bundle, looks at it, runs a command in it, follows its events in
 * a poll loop until its end, and deletes it. c_interface STATE_ROOT BUNDLE ID COMMAND...
 */
#include <berth/berth.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static void fail(berth_error* error) {
  fprintf(stderr, "c_interface: kind %d, errno %d: %s\n", berth_error_kind(error),
          berth_error_errno(error), berth_error_message(error));
  berth_error_free(error);
  exit(1);
}

static void print(const char* name, char* text, berth_error* error) {
  if (text == NULL) fail(error);
  printf("%s %s\n", name, text);
  berth_string_free(text);
}

static void run_command(berth_container* container, char** command) {
  berth_error* error = NULL;
  struct berth_exit_status status;
  const struct berth_exec_options options = {.size = sizeof options,
                                             .args = (const char* const*)command};
  berth_process* process = berth_container_exec(container, &options, &error);
  if (process == NULL || berth_process_wait(process, &status, &error) < 0) fail(error);
  printf("command code=%d signal=%d\n", status.code, status.signal);
  berth_process_close(process);
}

static void follow(berth_container* container, berth_events* events) {
  berth_error* error = NULL;
  if (berth_container_signal(container, SIGKILL, 0, &error) < 0) fail(error);
  struct pollfd item = {.fd = berth_events_fd(events), .events = POLLIN};
  for (int told = 0; told >= 0;) {
    char* json = NULL;
    told = berth_events_next(events, &json, &error);
    if (told < 0) fail(error);
    if (told == 0 && poll(&item, 1, -1) < 0) exit(1);
    if (told == 0) continue;
    print("event", json, NULL);
    if (berth_container_status(container, NULL) == BERTH_STOPPED) return;
  }
}

int main(int count, char** words) {
  if (count < 5) {
    fputs("usage: c_interface STATE_ROOT BUNDLE ID COMMAND...\n", stderr);
    return 2;
  }
  berth_error* error = NULL;
  const struct berth_factory_options place = {.size = sizeof place, .state_root = words[1]};
  berth_factory* factory = berth_factory_open(&place, &error);
  if (factory == NULL) fail(error);

  const struct berth_create_options options = {.size = sizeof options, .bundle = words[2]};
  berth_process* process;
  berth_container* container = berth_factory_run(factory, words[3], &options, &process, &error);
  if (container == NULL) fail(error);
  print("state", berth_container_state(container, &error), error);
  print("stats", berth_container_stats(container, &error), error);
  run_command(container, words + 4);

  berth_events* events = berth_container_events(container, &error);
  if (events == NULL) fail(error);
  follow(container, events);
  if (berth_process_wait(process, NULL, &error) < 0) fail(error);
  print("exit", berth_container_exit_record(container, &error), error);
  if (berth_container_destroy(container, 0, &error) < 0) fail(error);
  print("list", berth_factory_list(factory, &error), error);

  berth_events_close(events);
  berth_process_close(process);
  berth_container_close(container);
  berth_factory_close(factory);
  return 0;
}
