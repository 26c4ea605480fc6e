// SPDX-License-Identifier: Apache-2.0
// An engine in one thread and one poll loop: runs a container for each bundle, tells what happens
// to each (out of memory, its end), deletes those that have ended, and on SIGINT or SIGTERM ends
// them all. berth has no thread and takes no signal: all that is waited for is a descriptor.
//   tiny_engine STATE_ROOT ID=BUNDLE...
#include <berth/factory.h>
#include <berth/try.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

namespace {

struct Running {
  berth::Container container;
  berth::Process process;
  std::optional<berth::EventStream> events;  // nullopt: it ended before it could be watched
};

void complain(const berth::Error& error) {
  std::fprintf(stderr, "tiny_engine: %s\n", error.message().c_str());
}

void tell(const Running& running, const char* what, const std::string& data) {
  std::printf("%s %s %s\n", running.container.id().c_str(), what, data.c_str());
  std::fflush(stdout);
}

berth::Result<Running> run(berth::Factory& factory, const std::string& word) {
  const size_t equals = word.find('=');
  if (equals == std::string::npos) {
    return std::unexpected(
        berth::Error(berth::ErrorKind::InvalidUse, "\"" + word + "\" is not ID=BUNDLE"));
  }
  berth::Started started =
      TRY(factory.run(word.substr(0, equals), {.bundle = word.substr(equals + 1)}));
  Running running{.container = std::move(started.container),
                  .process = std::move(started.process),
                  .events = {}};
  berth::Result<berth::EventStream> events = running.container.events();
  if (events) {
    running.events = std::move(*events);
  } else if (events.error().kind() != berth::ErrorKind::WrongState) {
    return std::unexpected(std::move(events).error());
  }
  tell(running, "started", std::to_string(running.process.pid()));
  return running;
}

berth::Result<> look_at_events(Running& running) {
  while (running.events) {
    const std::optional<berth::Event> event = TRY(running.events->next());
    if (!event) break;
    if (const auto* oom = std::get_if<berth::OutOfMemory>(&*event))
      tell(running, "oom", oom->to_json());
    else
      break;  // its end: look_at_end tells more of it
  }
  return {};
}

berth::Result<> look_at_end(Running& running) {
  const berth::ExitStatus status = TRY(running.process.wait());
  tell(running, "ended", TRY(running.container.record_exit(status)).to_json());
  return running.container.destroy();
}

int open_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  return ::signalfd(-1, &signals, SFD_CLOEXEC);
}

// The signals, then two for each container: its events, its end.
std::vector<pollfd> descriptors(int signals, const std::vector<Running>& all) {
  std::vector<pollfd> list = {{.fd = signals, .events = POLLIN, .revents = 0}};
  for (const Running& running : all) {
    const int events = running.events ? running.events->fd() : -1;
    list.push_back({.fd = events, .events = POLLIN, .revents = 0});
    list.push_back({.fd = running.process.pidfd(), .events = POLLIN, .revents = 0});
  }
  return list;
}

void stop(std::vector<Running>& all, int signals) {
  signalfd_siginfo info;
  (void)!::read(signals, &info, sizeof info);
  for (Running& running : all) (void)running.container.signal(SIGKILL, berth::SignalScope::All);
}

void turn(std::vector<Running>& all, int signals) {
  std::vector<pollfd> list = descriptors(signals, all);
  if (::poll(list.data(), list.size(), -1) < 0) return;
  if (list[0].revents != 0) stop(all, signals);
  for (size_t at = all.size(); at-- > 0;) {
    berth::Result<> result;
    if (list[1 + 2 * at].revents != 0) result = look_at_events(all[at]);
    if (!result) complain(result.error());
    if (list[2 + 2 * at].revents == 0) continue;
    result = look_at_end(all[at]);
    if (!result) complain(result.error());
    all.erase(all.begin() + static_cast<ssize_t>(at));
  }
}

}  // namespace

int main(int count, char** words) {
  if (count < 3) {
    std::fputs("usage: tiny_engine STATE_ROOT ID=BUNDLE...\n", stderr);
    return 2;
  }
  const int signals = open_signals();
  berth::Result<berth::Factory> factory = berth::Factory::open({.state_root = words[1]});
  if (!factory) complain(factory.error());
  std::vector<Running> all;
  int code = factory ? 0 : 1;
  for (int at = 2; factory && at < count; ++at) {
    berth::Result<Running> running = run(*factory, words[at]);
    if (running) {
      all.push_back(std::move(*running));
    } else {
      complain(running.error());
      code = 1;
    }
  }
  while (!all.empty()) turn(all, signals);
  return code;
}
