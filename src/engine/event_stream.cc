// SPDX-License-Identifier: Apache-2.0
#include <errno.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <iterator>

#include "berth/events.h"
#include "berth/try.h"
#include "cgroup/oom.h"
#include "core/context.h"
#include "engine/clock.h"
#include "engine/exit_record.h"
#include "os/kernel_log.h"
#include "os/process.h"

namespace berth {
namespace {

using engine::Snapshot;
using engine::StateDir;

// The kernel announces a kill before it counts it (v1), or announces what ends without one. So the
// count is looked at again, later each time, and then no more.
constexpr int64_t kFirstLookNs = 5'000'000;
constexpr int64_t kLastLookNs = 2'000'000'000;

Result<> watch(const os::UniqueFd& all, int descriptor) {
  epoll_event event = {.events = EPOLLIN, .data = {.fd = descriptor}};
  if (::epoll_ctl(all.get(), EPOLL_CTL_ADD, descriptor, &event) == 0) return {};
  return system_error(errno, "watch the container");
}

// What made the descriptor readable is of no interest, only that it did.
bool drain(const os::UniqueFd& file) {
  char buffer[4096];
  return file && ::read(file.get(), buffer, sizeof buffer) > 0;
}

}  // namespace

struct [[gnu::visibility("hidden")]] EventStream::Inner {
  StateDir directory = {};
  engine::Record record = {};
  os::UniqueFd init = {};
  os::UniqueFd oom = {};
  os::UniqueFd timer = {};
  os::UniqueFd all = {};
  int64_t next_look = 0;                      // nanoseconds; 0: the last announcement is settled
  const plan::CgroupPlace* memory = nullptr;  // of the record
  cgroup::OomCounts counts = {};
  os::KernelLog log = os::KernelLog::open_at_end();
  std::optional<OutOfMemory> seen = {};  // since the stream began
  bool told_end = false;

  Result<> open_oom(const cgroup::CgroupManager& cgroup);
  Result<> open_all();
  void look_again();
  Result<std::optional<Event>> take_oom();
  Result<std::optional<Event>> take_end();
  std::optional<ExitStatus> exit_status() const;
};

// A container without a memory cgroup has no such events; it still has an end.
Result<> EventStream::Inner::open_oom(const cgroup::CgroupManager& cgroup) {
  memory = cgroup::memory_place(record.cgroups);
  Result<int> announced = memory ? cgroup.oom_fd() : Result<int>(-1);
  if (!announced || *announced < 0) {
    memory = nullptr;
    return {};
  }
  oom.reset(*announced);
  counts = TRY(cgroup::count_oom(*memory));
  return {};
}

Result<> EventStream::Inner::open_all() {
  all.reset(::epoll_create1(EPOLL_CLOEXEC));
  timer.reset(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!all || !timer) return system_error(errno, "watch the container");
  TRY(watch(all, init.get()));
  TRY(watch(all, timer.get()));
  if (oom) TRY(watch(all, oom.get()));
  return {};
}

void EventStream::Inner::look_again() {
  const int64_t wait = next_look <= kLastLookNs ? next_look : 0;  // 0 disarms it
  const itimerspec setting = {
      .it_interval = {},
      .it_value = {.tv_sec = wait / 1'000'000'000, .tv_nsec = wait % 1'000'000'000}};
  (void)::timerfd_settime(timer.get(), 0, &setting, nullptr);
  next_look = wait * 2;
}

Result<std::optional<Event>> EventStream::Inner::take_oom() {
  const bool later = drain(timer);
  const bool announced = drain(oom);
  if (announced) next_look = kFirstLookNs;
  if (!memory) return std::nullopt;
  const cgroup::OomCounts now = TRY(cgroup::count_oom(*memory));
  if (now.kills <= counts.kills) {
    if (announced || later) look_again();
    return std::nullopt;
  }
  next_look = 0;
  look_again();
  const auto deaths = cgroup::deaths_in(log.take(), memory->path);
  OutOfMemory event = cgroup::attribute_oom(&counts, now, deaths, memory->path);
  counts = now;
  std::vector<OomVictim> victims = seen ? std::move(seen->victims) : std::vector<OomVictim>();
  victims.insert(victims.end(), event.victims.begin(), event.victims.end());
  seen = event;
  seen->victims = std::move(victims);
  return event;
}

std::optional<ExitStatus> EventStream::Inner::exit_status() const {
  auto status = os::status_of_zombie(record.pid, record.start_time);
  if (!status) status = os::status_of_reaped(init.get());
  if (!status) return std::nullopt;
  return ExitStatus{.code = status->code, .signal = status->signal};
}

Result<std::optional<Event>> EventStream::Inner::take_end() {
  if (told_end || !TRY(os::wait_exit(init.get(), 0))) return std::nullopt;
  told_end = true;
  const std::optional<ExitStatus> status = exit_status();  // first: it may be reaped at any moment
  const std::string now = engine::utc_text(engine::now_ns());
  ExitRecord end = engine::measure_end(record);
  end.exit = status;
  end.finished = now;
  if (seen && end.oom) seen->kills = end.oom->kills;
  if (seen) end.oom = seen;
  return TRY(engine::keep_exit(directory, std::move(end)));
}

EventStream::EventStream(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
EventStream::EventStream(EventStream&&) noexcept = default;
EventStream& EventStream::operator=(EventStream&&) noexcept = default;
EventStream::~EventStream() = default;

int EventStream::fd() const { return inner_->all.get(); }

// Kills are counted before their victims end: asked for in this order, none is left behind.
Result<std::optional<Event>> EventStream::next() {
  const bool ended = TRY(os::wait_exit(inner_->init.get(), 0));
  if (inner_->told_end) return std::nullopt;
  std::optional<Event> event = TRY(inner_->take_oom());
  if (event || !ended) return event;
  return inner_->take_end();
}

Result<EventStream> Container::events() const {
  auto inner = std::make_unique<EventStream::Inner>();
  inner->directory = TRY(inner_->open());
  Snapshot snapshot = TRY(engine::look(inner->directory, true));
  if (snapshot.status == Status::Creating) {
    TRY(inner->directory.lock());  // until it is made
    snapshot = TRY(engine::look(inner->directory, true));
    inner->directory.unlock();
  }
  if (!snapshot.init)
    return fail(ErrorKind::WrongState, "container {} is not running: it is {}", id(),
                to_string(snapshot.status));
  inner->record = std::move(snapshot.record);
  inner->init = std::move(snapshot.init);
  if (snapshot.cgroup) TRY(inner->open_oom(*snapshot.cgroup));
  TRY(inner->open_all());
  return EventStream(std::move(inner));
}

Result<ExitRecord> Container::wait() {
  Result<EventStream> stream = events();
  if (!stream && stream.error().kind() == ErrorKind::WrongState) return exit_record();
  EventStream events = TRY(std::move(stream));
  while (true) {
    const std::optional<Event> event = TRY(events.next());
    if (event && std::holds_alternative<ExitRecord>(*event)) return std::get<ExitRecord>(*event);
    if (!event) (void)TRY(os::wait_exit(events.fd(), -1));
  }
}

}  // namespace berth
