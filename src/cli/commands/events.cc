// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <poll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>
#include <variant>

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

Result<> print_oom(const Container& container, const OutOfMemory& oom) {
  return print(formatted(
      "{{\"type\":\"oom\",\"id\":{0}}}\n{{\"type\":\"oom-cause\",\"id\":{0},\"data\":{1}}}\n",
      quoted(container.id()), oom.to_json()));
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

// What made the descriptor readable is of no interest, only that it did.
void drain(int descriptor) {
  char buffer[8];
  (void)!read(descriptor, buffer, sizeof buffer);
}

// The container may end while its figures are read: that is the end of the stream, no failure.
Result<> print_stats_unless_ended(const Container& container, const EventStream& stream) {
  Result<> printed = print_stats(container);
  pollfd something{stream.fd(), POLLIN, 0};
  if (!printed && poll(&something, 1, 0) == 1) return {};
  return printed;
}

// All that there is now. True: the container has ended.
Result<bool> tell(const Container& container, EventStream& stream) {
  while (auto event = TRY(stream.next())) {
    if (std::holds_alternative<ExitRecord>(*event)) return true;
    TRY(print_oom(container, std::get<OutOfMemory>(*event)));
  }
  return false;
}

Result<> follow(const Container& container, int64_t interval) {
  auto stream = TRY(container.events());
  auto timer = TRY(open_timer(interval));
  while (true) {
    pollfd watched[] = {{stream.fd(), POLLIN, 0}, {timer.get(), POLLIN, 0}};
    if (poll(watched, std::size(watched), -1) < 0) {
      if (errno == EINTR) continue;
      return system_error(errno, "poll");
    }
    if (TRY(tell(container, stream))) return {};
    if (watched[1].revents == 0) continue;
    drain(timer.get());
    TRY(print_stats_unless_ended(container, stream));
  }
}

}  // namespace

Result<int> run_events(const Invocation& invocation) {
  const auto& arguments = invocation.arguments;
  auto text =
      arguments.given("interval") ? arguments.text("interval") : std::string(kDefaultInterval);
  auto interval = TRY(parse_duration(text) | context("option --interval"));
  if (interval == 0)
    return fail(ErrorKind::InvalidUse, "option --interval: must be greater than 0");
  auto container = TRY(find_container(invocation));
  if (arguments.text("format") == "openmetrics") {
    TRY(print(TRY(container.stats()).to_openmetrics(container.id())));
  } else if (arguments.on("stats")) {
    TRY(print_stats(container));
  } else {
    TRY(follow(container, interval));
  }
  return 0;
}

}  // namespace berth::cli
