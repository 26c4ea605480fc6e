// SPDX-License-Identifier: Apache-2.0
#include "driver/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>
#include <optional>
#include <vector>

#include "berth/try.h"
#include "core/context.h"
#include "driver/attach_protocol.h"
#include "driver/audience.h"
#include "driver/keeper_channel.h"
#include "driver/kept_streams.h"
#include "os/file.h"
#include "os/process.h"
#include "os/socket.h"

namespace berth::driver {
namespace {

// A keeper has one box.
struct Keeper {
  KeeperOrders orders;
  std::optional<KeptStreams> streams = {};
  Audience audience = {};
};

// What the program has of us is not ours any more: an end that we held open would never end.
Result<> let_streams_go() {
  const os::UniqueFd null = TRY(os::open_at(AT_FDCWD, "/dev/null", O_RDWR));
  for (int number : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::dup2(null.get(), number) < 0) return system_error(errno, "let the streams go");
  }
  return {};
}

// After the program was started, which would have inherited it: a keeper ends with its box, and is
// not the one to be killed for want of memory.
void stay() {
  for (int number : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP, SIGTTIN, SIGTTOU})
    (void)::signal(number, SIG_IGN);
  (void)os::write_file_at(AT_FDCWD, "/proc/self/oom_score_adj", "-999");
}

void reap_adopted(pid_t own) {
  while (true) {
    siginfo_t ended = {};
    if (::waitid(P_ALL, 0, &ended, WEXITED | WNOHANG | WNOWAIT) != 0) return;
    if (ended.si_pid == 0 || ended.si_pid == own) return;
    (void)::waitid(P_PID, static_cast<id_t>(ended.si_pid), &ended, WEXITED | WNOHANG);
  }
}

// Without reaping: as long as nobody has, others can see the status too.
Result<ExitStatus> status_of(const Process& process) {
  siginfo_t ended = {};
  while (::waitid(P_PIDFD, static_cast<id_t>(process.pidfd()), &ended, WEXITED | WNOWAIT) != 0) {
    if (errno != EINTR) return system_error(errno, "wait for the program");
  }
  if (ended.si_code == CLD_EXITED) return ExitStatus{.code = ended.si_status};
  return ExitStatus{.signal = ended.si_status};
}

void hear(Keeper& keeper, Word word, std::string_view bytes) {
  if (word == Word::Input) keeper.streams->put_input(bytes);
  if (word == Word::EndInput) keeper.streams->end_input();
  WindowWord window = {};
  if (word != Word::Window || bytes.size() != sizeof window) return;
  std::memcpy(&window, bytes.data(), sizeof window);
  keeper.streams->resize({.rows = window.rows, .columns = window.columns});
}

// One round of what happens. end: the program's pidfd, or -1 when it has ended. True: it has now.
Result<bool> take_turn(Keeper& keeper, int end, int timeout) {
  std::vector<pollfd> watched(1 + KeptStreams::kDescriptors, pollfd{-1, 0, 0});
  watched[0] = {end, POLLIN, 0};
  keeper.streams->ask(&watched[1], !keeper.audience.is_behind());
  keeper.audience.ask(watched, keeper.streams->wants_input());
  if (::poll(watched.data(), watched.size(), timeout) < 0 && errno != EINTR)
    return system_error(errno, "poll");
  keeper.streams->move(&watched[1], [&keeper](bool is_error, std::string_view bytes) {
    keeper.audience.tell(is_error ? Word::ErrorOutput : Word::Output, bytes);
  });
  keeper.audience.move(&watched[1 + KeptStreams::kDescriptors],
                       [&keeper](Word word, std::string_view bytes) { hear(keeper, word, bytes); });
  return watched[0].revents != 0;
}

Result<> relay_until_end(Keeper& keeper, const Process& process) {
  while (!TRY(take_turn(keeper, process.pidfd(), -1))) reap_adopted(process.pid());
  keeper.streams->finish();
  while (keeper.streams->is_open())
    (void)TRY(take_turn(keeper, -1, keeper.audience.is_behind() ? -1 : 0));
  return {};
}

// Whoever is attached gets all that there was, and how it ended.
Result<> take_leave(Keeper& keeper, ExitStatus status) {
  const ExitWord exit{.code = status.code, .signal = status.signal};
  keeper.audience.tell(Word::Exit, {reinterpret_cast<const char*>(&exit), sizeof exit});
  while (!keeper.audience.is_settled()) (void)TRY(take_turn(keeper, -1, -1));
  return {};
}

Result<> wait_for_end(const Process& process) {
  while (!TRY(os::wait_exit(process.pidfd(), -1))) continue;
  return {};
}

// The attach socket is there before anybody is told of the program.
Result<> open_streams(Keeper& keeper, const Process& process) {
  const KeeperOrders& orders = keeper.orders;
  if (process.console() >= 0) keeper.streams = TRY(KeptStreams::of_terminal(process.console()));
  if (!keeper.streams && orders.client >= 0)
    return fail(ErrorKind::InvalidUse, "the program has no terminal that could be left by keys");
  if (!keeper.streams) return {};
  if (orders.client >= 0) keeper.audience.add(os::UniqueFd(orders.client));
  return keeper.audience.listen(orders.directory,
                                orders.is_first ? kAttachSocket : attach_socket_of(process.pid()));
}

// Its program can not be seen through: away with it.
void give_up(const Keeper& keeper, Started& started) {
  if (keeper.orders.is_first)
    (void)started.container.destroy(true);
  else
    (void)started.process.signal(SIGKILL);
  (void)started.process.wait();
}

Result<Started> start(Keeper& keeper) {
  const int channel = keeper.orders.channel;
  if (keeper.orders.streams == Streams::Kept) keeper.streams = TRY(KeptStreams::make_pipes());
  Started started =
      TRY(keeper.orders.start([channel](const std::string& text) { tell_warning(channel, text); }));
  Result<> ready = let_streams_go();
  if (ready) ready = open_streams(keeper, started.process);
  if (ready) return started;
  give_up(keeper, started);
  return std::unexpected(std::move(ready).error());
}

Result<> see_through(Keeper& keeper, Started& started) {
  Process& process = started.process;
  stay();
  TRY(keeper.streams ? relay_until_end(keeper, process) : wait_for_end(process));
  const ExitStatus status = TRY(status_of(process));
  // Deleted by somebody: then nobody asks.
  if (keeper.orders.is_first) (void)started.container.record_exit(status);
  (void)process.wait();
  reap_adopted(0);
  if (keeper.streams) TRY(take_leave(keeper, status));
  if (!keeper.orders.remove_at_end) return {};
  await_end(keeper.orders.channel);
  (void)started.container.destroy(true);
  return {};
}

}  // namespace

Result<> keep(KeeperOrders orders) {
  const int channel = orders.channel;
  (void)::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  Keeper keeper{.orders = std::move(orders)};
  Result<Started> started = start(keeper);
  if (!started) {
    tell_failure(channel, started.error());
    return {};
  }
  tell_started(channel, started->process.pid(), started->process.pidfd());
  return see_through(keeper, *started);
}

Result<SpawnedKeeper> fork_keeper(KeeperOrders orders) {
  auto [channel, its_channel] = TRY(os::packet_pair());
  auto [client, its_client] = TRY(os::packet_pair());
  const pid_t pid = ::fork();
  if (pid < 0) return system_error(errno, "fork");
  if (pid > 0) return SpawnedKeeper{.channel = std::move(channel), .client = std::move(client)};
  channel.reset();
  client.reset();
  (void)::setsid();
  orders.channel = its_channel.get();
  orders.client = its_client.release();
  ::_exit(keep(std::move(orders)) ? 0 : 1);
}

}  // namespace berth::driver
