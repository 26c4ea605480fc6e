// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>

#include "berth/try.h"
#include "cli/commands/commands.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/values.h"
#include "core/context.h"

namespace berth::cli {
namespace {

constexpr std::string_view kDefaultInterval = "5s";

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  int get() const { return number_; }

 private:
  int number_;
};

Result<> print_stats(const Container& container) {
  auto stats = TRY(container.stats());
  return print(formatted("{{\"type\":\"stats\",\"id\":{},\"data\":{}}}\n", quoted(container.id()),
                         stats.to_json()));
}

Result<> print_oom(const Container& container) {
  return print(formatted("{{\"type\":\"oom\",\"id\":{}}}\n", quoted(container.id())));
}

Result<Descriptor> open_timer(int64_t nanoseconds) {
  constexpr int64_t kSecond = 1000000000;
  Descriptor timer(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  timespec interval = {.tv_sec = nanoseconds / kSecond, .tv_nsec = nanoseconds % kSecond};
  itimerspec setting = {.it_interval = interval, .it_value = interval};
  if (timer.get() < 0 || timerfd_settime(timer.get(), 0, &setting, nullptr) != 0) {
    return system_error(errno, "set the timer");
  }
  return timer;
}

Result<Descriptor> open_init(const Container& container) {
  auto state = TRY(container.state());
  Descriptor init(state.pid > 0 ? static_cast<int>(syscall(SYS_pidfd_open, state.pid, 0)) : -1);
  if (init.get() < 0) {
    return fail(ErrorKind::WrongState, "container {} is not running: it is {}", container.id(),
                to_string(state.status));
  }
  return init;
}

// What made the descriptor readable is of no interest, only that it did.
void drain(int descriptor) {
  char buffer[4096];
  (void)!read(descriptor, buffer, sizeof buffer);
}

class Stream {
 public:
  static Result<Stream> open(const Container& container, int64_t interval) {
    Stream stream(container, TRY(open_init(container)), TRY(open_timer(interval)),
                  Descriptor(TRY(container.oom_fd())));
    stream.kills_ = container.oom_kills().value_or(0);
    return stream;
  }

  // Until the container's first process has ended.
  Result<> follow() {
    while (true) {
      enum { kInit, kTimer, kOom };
      pollfd watched[] = {
          {init_.get(), POLLIN, 0}, {timer_.get(), POLLIN, 0}, {oom_.get(), POLLIN, 0}};
      if (poll(watched, std::size(watched), -1) < 0) {
        if (errno == EINTR) continue;
        return system_error(errno, "poll");
      }
      if (watched[kOom].revents != 0) drain(oom_.get());
      TRY(tell_kills());
      if (watched[kInit].revents != 0) return {};
      if (watched[kTimer].revents == 0) continue;
      drain(timer_.get());
      TRY(print_unless_ended());
    }
  }

 private:
  Stream(const Container& container, Descriptor init, Descriptor timer, Descriptor oom)
      : container_(container),
        init_(std::move(init)),
        timer_(std::move(timer)),
        oom_(std::move(oom)) {}

  // The container may end while its figures are read: that is the end of the stream, no failure.
  Result<> print_unless_ended() {
    Result<> printed = print_stats(container_);
    pollfd ended{init_.get(), POLLIN, 0};
    if (!printed && poll(&ended, 1, 0) == 1) return {};
    return printed;
  }

  // The kernel announces more than kills, and some of it before it is counted: the count decides.
  Result<> tell_kills() {
    auto kills = container_.oom_kills();
    if (!kills || *kills <= kills_) return {};
    kills_ = *kills;
    return print_oom(container_);
  }

  const Container& container_;
  Descriptor init_;
  Descriptor timer_;
  Descriptor oom_;
  uint64_t kills_ = 0;
};

}  // namespace

Result<int> run_events(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto text =
      arguments.given("interval") ? arguments.text("interval") : std::string(kDefaultInterval);
  auto interval = TRY(parse_duration(text) | context("option --interval"));
  if (interval == 0)
    return fail(ErrorKind::InvalidUse, "option --interval: must be greater than 0");
  auto container = TRY(find_container(invocation));
  if (arguments.on("stats")) {
    TRY(print_stats(container));
    return 0;
  }
  auto stream = TRY(Stream::open(container, interval));
  TRY(stream.follow());
  return 0;
}

}  // namespace berth::cli
