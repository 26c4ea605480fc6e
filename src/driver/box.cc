// SPDX-License-Identifier: Apache-2.0
#include <signal.h>
#include <sys/socket.h>

#include "berth/driver.h"
#include "berth/try.h"
#include "core/context.h"
#include "driver/attach_protocol.h"
#include "driver/attachment_inner.h"
#include "driver/box_inner.h"
#include "os/process.h"
#include "os/socket.h"

namespace berth {
namespace {

bool is_running(Status status) {
  return status == Status::Running || status == Status::Paused || status == Status::Created;
}

}  // namespace

Result<> Box::Inner::find_process(pid_t process) {
  Result<os::UniqueFd> opened = os::open_pidfd(process);
  // The descriptor is its first process's if that is still alive, and it has ended if not.
  if (!opened || !is_running(TRY(container.status()))) return {};
  pid = process;
  pidfd = *std::move(opened);
  return {};
}

Result<bool> Box::Inner::was_never_made() const {
  const ContainerState state = TRY(container.state());
  if (state.status != Status::Stopped) return false;
  const Result<ExitRecord> end = container.exit_record();
  return !end && end.error().kind() == ErrorKind::WrongState;
}

void Box::Inner::release_keeper() {
  if (removed_at_end && keeper.channel) driver::await_keeper(keeper);
}

Box::Box(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
Box::Box(Box&&) noexcept = default;
Box& Box::operator=(Box&&) noexcept = default;
Box::~Box() = default;

const std::string& Box::id() const { return inner_->container.id(); }
pid_t Box::pid() const { return inner_->pid; }
int Box::pidfd() const { return inner_->pidfd.get(); }
Streams Box::streams() const { return inner_->streams; }
bool Box::terminal() const { return inner_->terminal; }
int Box::input() const { return inner_->keeper.ends[0].get(); }
int Box::output() const { return inner_->keeper.ends[1].get(); }
int Box::error() const { return inner_->keeper.ends[2].get(); }
void Box::close_input() { inner_->keeper.ends[0].reset(); }
Container& Box::container() { return inner_->container; }
Box::Inner& Box::inner() { return *inner_; }

Result<Attachment> Box::attach() {
  if (inner_->keeper.client) return driver::take_client(inner_->keeper);
  if (inner_->streams != Streams::Kept) {
    return fail(ErrorKind::WrongState,
                "container {} cannot be attached to: its streams are those of who has started it",
                id());
  }
  return driver::attach_at(inner_->directory + "/" + driver::kAttachSocket, id());
}

Result<ExitRecord> Box::wait() {
  Result<ExitRecord> end = inner_->container.wait();
  if (end) inner_->release_keeper();
  return end;
}

Result<ExitRecord> Box::terminate() {
  Result<> killed = inner_->container.signal(SIGKILL, SignalScope::All);
  if (!killed && killed.error().kind() != ErrorKind::WrongState)
    return std::unexpected(std::move(killed).error());
  return wait();
}

// What was seen decides: it never fires twice, and nothing after it has closed.
struct [[gnu::visibility("hidden")]] OomChannel::Inner {
  EventStream events;
  bool fired = false;
  bool closed = false;
};

OomChannel::OomChannel(std::unique_ptr<Inner> inner) : inner_(std::move(inner)) {}
OomChannel::OomChannel(OomChannel&&) noexcept = default;
OomChannel& OomChannel::operator=(OomChannel&&) noexcept = default;
OomChannel::~OomChannel() = default;

int OomChannel::fd() const { return inner_->events.fd(); }

Result<OomChannel::Signal> OomChannel::next() {
  while (!inner_->closed) {
    const std::optional<Event> event = TRY(inner_->events.next());
    if (!event) return Signal::None;
    inner_->closed = std::holds_alternative<ExitRecord>(*event);
    if (inner_->closed) break;
    if (!std::exchange(inner_->fired, true)) return Signal::Fired;
  }
  return Signal::Closed;
}

Result<OomChannel> Box::oom_channel() const {
  return OomChannel(
      std::make_unique<OomChannel::Inner>(OomChannel::Inner{TRY(inner_->container.events())}));
}

}  // namespace berth
