// SPDX-License-Identifier: Apache-2.0
#include "berth/try.h"
#include "capi/handles.h"

namespace berth::capi {
namespace {

static_assert(static_cast<int>(Status::Creating) == BERTH_CREATING);
static_assert(static_cast<int>(Status::Created) == BERTH_CREATED);
static_assert(static_cast<int>(Status::Running) == BERTH_RUNNING);
static_assert(static_cast<int>(Status::Paused) == BERTH_PAUSED);
static_assert(static_cast<int>(Status::Stopped) == BERTH_STOPPED);

template <typename Value>
Result<std::string> json(Result<Value> result) {
  return TRY(std::move(result)).to_json();
}

Result<std::string> openmetrics(const Container& container) {
  return TRY(container.stats()).to_openmetrics(container.id());
}

Result<Process> exec(Container& container, const berth_exec_options* options) {
  return container.exec(TRY(process_spec(options)));
}

Result<std::string> attach_interfaces(Container& container, const char* json) {
  std::string names;
  for (const std::string& name :
       TRY(container.attach_interfaces(TRY(parse_interfaces(capi::text(json))))))
    names += (names.empty() ? "[\"" : ",\"") + name + "\"";  // no name needs an escape
  return names.empty() ? "[]" : names + "]";
}

Result<std::string> interfaces(const Container& container) {
  return to_json(TRY(container.interfaces()));
}

Result<> update(Container& container, const berth_update_options* options) {
  return container.update(TRY(update_of(options)));
}

}  // namespace
}  // namespace berth::capi

using namespace berth;  // NOLINT(google-build-using-namespace): the functions of C are in none

extern "C" {

void berth_container_close(berth_container* container) { delete container; }

const char* berth_container_id(const berth_container* container) {
  return container->container.id().c_str();
}

char* berth_container_state(const berth_container* container, berth_error** error) {
  return capi::answer(capi::json(container->container.state()), error);
}

int berth_container_status(const berth_container* container, berth_error** error) {
  Result<Status> status = container->container.status();
  if (status) return static_cast<int>(*status);
  capi::store(std::move(status).error(), error);
  return -1;
}

int berth_container_start(berth_container* container, const char* notify_socket,
                          berth_error** error) {
  return capi::answer(container->container.start(capi::text(notify_socket)), error);
}

berth_process* berth_container_exec(berth_container* container, const berth_exec_options* options,
                                    berth_error** error) {
  return capi::answer<berth_process>(capi::exec(container->container, options), error);
}

int berth_container_signal(berth_container* container, int signal_number, int all,
                           berth_error** error) {
  const SignalScope scope = all != 0 ? SignalScope::All : SignalScope::Init;
  return capi::answer(container->container.signal(signal_number, scope), error);
}

int berth_container_pause(berth_container* container, berth_error** error) {
  return capi::answer(container->container.pause(), error);
}

int berth_container_resume(berth_container* container, berth_error** error) {
  return capi::answer(container->container.resume(), error);
}

int berth_container_update(berth_container* container, const berth_update_options* options,
                           berth_error** error) {
  return capi::answer(capi::update(container->container, options), error);
}

char* berth_container_attach_interfaces(berth_container* container, const char* interfaces_json,
                                        berth_error** error) {
  return capi::answer(capi::attach_interfaces(container->container, interfaces_json), error);
}

int berth_container_detach_interface(berth_container* container, const char* name,
                                     berth_error** error) {
  return capi::answer(container->container.detach_interfaces({capi::text(name)}), error);
}

char* berth_container_interfaces(const berth_container* container, berth_error** error) {
  return capi::answer(capi::interfaces(container->container), error);
}

ssize_t berth_container_processes(const berth_container* container, pid_t* pids, size_t count,
                                  berth_error** error) {
  Result<std::vector<pid_t>> found = container->container.processes();
  if (!found) {
    capi::store(std::move(found).error(), error);
    return -1;
  }
  for (size_t at = 0; at < std::min(count, found->size()); ++at) pids[at] = (*found)[at];
  return static_cast<ssize_t>(found->size());
}

char* berth_container_stats(const berth_container* container, berth_error** error) {
  return capi::answer(capi::json(container->container.stats()), error);
}

char* berth_container_openmetrics(const berth_container* container, berth_error** error) {
  return capi::answer(capi::openmetrics(container->container), error);
}

berth_events* berth_container_events(const berth_container* container, berth_error** error) {
  return capi::answer<berth_events>(container->container.events(), error);
}

char* berth_container_wait(berth_container* container, berth_error** error) {
  return capi::answer(capi::json(container->container.wait()), error);
}

char* berth_container_exit_record(const berth_container* container, berth_error** error) {
  return capi::answer(capi::json(container->container.exit_record()), error);
}

char* berth_container_record_exit(berth_container* container, const berth_exit_status* status,
                                  berth_error** error) {
  const ExitStatus ended{.code = status->code, .signal = status->signal};
  return capi::answer(capi::json(container->container.record_exit(ended)), error);
}

int berth_container_destroy(berth_container* container, int force, berth_error** error) {
  return capi::answer(container->container.destroy(force != 0), error);
}
}
