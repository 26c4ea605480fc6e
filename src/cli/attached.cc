// SPDX-License-Identifier: Apache-2.0
#include "cli/attached.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <variant>

#include "berth/try.h"
#include "cli/output.h"
#include "cli/terminal.h"
#include "core/context.h"

namespace berth::cli {
namespace {

constexpr size_t kMostPending = 65536;

// One stay.
struct Stay {
  KeptProgram program;
  AttachSettings settings;
  std::string pending = {};  // input that was not sent yet
  bool input_open = true;
  bool ending = false;  // no more input comes, and the program is to be told
  bool left = false;
  std::optional<ExitStatus> exit = {};

  bool is_over() const { return left || exit; }
};

Result<> take_signal(Stay& stay, const Signals& signals) {
  const int number = signals.next();
  if (number == SIGWINCH) return stay.program.attachment.resize(window_size());
  // Our terminal has gone: so have we, and the program goes on.
  if (number == SIGHUP && stay.program.terminal) {
    stay.left = true;
    return {};
  }
  // It may have ended just now.
  if (is_passed_on(number)) stay.program.signal(number);
  return {};
}

void read_input(Stay& stay) {
  char buffer[4096];
  const ssize_t count = read(STDIN_FILENO, buffer, sizeof buffer);
  if (count < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (count <= 0) {
    stay.input_open = false;
    stay.ending = true;
    return;
  }
  auto typed = stay.settings.keys.take({buffer, static_cast<size_t>(count)});
  stay.pending += typed.bytes;
  stay.left = typed.leave;
}

Result<> send_input(Stay& stay) {
  while (!stay.pending.empty()) {
    const size_t sent = TRY(stay.program.attachment.send(stay.pending));
    if (sent == 0) return {};
    stay.pending.erase(0, sent);
  }
  if (stay.ending && TRY(stay.program.attachment.end_input())) stay.ending = false;
  return {};
}

// A reader of ours that has gone does not end the program.
void show(const StreamOutput& output) {
  (void)write_all(output.is_error ? STDERR_FILENO : STDOUT_FILENO, output.bytes);
}

Result<> receive_all(Stay& stay) {
  while (!stay.is_over()) {
    const auto event = TRY(stay.program.attachment.receive());
    if (!event) return {};
    if (const auto* output = std::get_if<StreamOutput>(&*event)) show(*output);
    if (const auto* exit = std::get_if<ExitStatus>(&*event)) stay.exit = *exit;
    if (std::holds_alternative<AttachmentLost>(*event))
      return fail(ErrorKind::System, "the keeper of the program has gone");
  }
  return {};
}

Result<> take_turn(Stay& stay, const Signals& signals) {
  const bool wants_input = stay.input_open && stay.pending.size() < kMostPending;
  const bool has_input = !stay.pending.empty() || stay.ending;
  pollfd watched[] = {
      {signals.descriptor(), POLLIN, 0},
      {wants_input ? STDIN_FILENO : -1, POLLIN, 0},
      {stay.program.attachment.fd(), static_cast<short>(POLLIN | (has_input ? POLLOUT : 0)), 0}};
  if (poll(watched, std::size(watched), -1) < 0 && errno != EINTR)
    return system_error(errno, "poll");
  if (watched[0].revents != 0) TRY(take_signal(stay, signals));
  if (watched[1].revents != 0) read_input(stay);
  if ((watched[2].revents & ~POLLOUT) != 0) TRY(receive_all(stay));
  if (stay.exit) return {};
  // The program may end between its last words and ours.
  if (auto sent = send_input(stay); !sent) {
    stay.pending.clear();
    stay.ending = false;
    stay.input_open = false;
  }
  return {};
}

}  // namespace

Result<std::optional<ExitStatus>> stay_attached(KeptProgram program, const Signals& signals,
                                                AttachSettings settings) {
  (void)signal(SIGPIPE, SIG_IGN);
  Stay stay{.program = std::move(program), .settings = std::move(settings)};
  stay.input_open = stay.settings.input;
  std::optional<RawTerminal> raw;
  if (stay.program.terminal) {
    if (stay.settings.input) raw.emplace(RawTerminal::Newlines::AsTheyAre);
    TRY(stay.program.attachment.resize(window_size()));
  } else {
    stay.settings.keys = {};
  }
  while (!stay.is_over()) TRY(take_turn(stay, signals));
  return stay.exit;
}

Result<std::optional<ExitStatus>> stay_attached(Box& box, const Signals& signals,
                                                AttachSettings settings) {
  KeptProgram program{.attachment = TRY(box.attach()),
                      .terminal = box.terminal(),
                      .signal = [&box](int number) { (void)box.container().signal(number); }};
  return stay_attached(std::move(program), signals, std::move(settings));
}

}  // namespace berth::cli
