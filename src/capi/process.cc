// SPDX-License-Identifier: Apache-2.0
#include "capi/handles.h"

using namespace berth;  // NOLINT(google-build-using-namespace): the functions of C are in none

extern "C" {

void berth_process_close(berth_process* process) { delete process; }
pid_t berth_process_pid(const berth_process* process) { return process->process.pid(); }
int berth_process_pidfd(const berth_process* process) { return process->process.pidfd(); }
int berth_process_console(const berth_process* process) { return process->process.console(); }
int berth_process_notify(const berth_process* process) { return process->process.notify(); }

int berth_process_pass_notification(berth_process* process, berth_error** error) {
  return capi::answer(process->process.pass_notification(), error);
}

int berth_process_wait(berth_process* process, berth_exit_status* status, berth_error** error) {
  Result<ExitStatus> ended = process->process.wait();
  if (!ended) {
    capi::store(std::move(ended).error(), error);
    return -1;
  }
  if (status != nullptr) *status = {.code = ended->code, .signal = ended->signal};
  return 0;
}

int berth_process_signal(berth_process* process, int signal_number, berth_error** error) {
  return capi::answer(process->process.signal(signal_number), error);
}

void berth_events_close(berth_events* events) { delete events; }
int berth_events_fd(const berth_events* events) { return events->stream.fd(); }

int berth_events_next(berth_events* events, char** json, berth_error** error) {
  Result<std::optional<Event>> event = events->stream.next();
  if (!event) {
    capi::store(std::move(event).error(), error);
    return -1;
  }
  if (!*event) return 0;
  const bool ended = std::holds_alternative<ExitRecord>(**event);
  const std::string data = std::visit([](const auto& value) { return value.to_json(); }, **event);
  *json =
      capi::copy((ended ? R"({"type":"exit","data":)" : R"({"type":"oom","data":)") + data + "}");
  return 1;
}
}
