// SPDX-License-Identifier: Apache-2.0
#include "cli/relay.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>

#include "core/context.h"

namespace berth::cli {
namespace {

// Each direction holds at most this much: a slow reader slows the writer instead of losing bytes.
constexpr size_t kBuffer = 65536;
// A pipe that poll calls writable takes this much without blocking.
constexpr size_t kPiece = 4096;

bool try_again() { return errno == EINTR || errno == EAGAIN; }

// The number of bytes read; 0 at the end; -1 for try again.
ssize_t read_some(int descriptor, std::string& into) {
  char buffer[kPiece];
  ssize_t count = read(descriptor, buffer, sizeof buffer);
  if (count < 0) return try_again() ? -1 : 0;
  into.append(buffer, static_cast<size_t>(count));
  return count;
}

// False when nobody reads any more.
bool write_some(int descriptor, std::string& from) {
  ssize_t count = write(descriptor, from.data(), std::min(from.size(), kPiece));
  if (count < 0) return try_again();
  from.erase(0, static_cast<size_t>(count));
  return true;
}

}  // namespace

Result<TerminalRelay> TerminalRelay::open(int console) {
  int flags = fcntl(console, F_GETFL);
  if (flags < 0 || fcntl(console, F_SETFL, flags | O_NONBLOCK) < 0) {
    return system_error(errno, "prepare the container's terminal");
  }
  // Our own terminal, or the reader of our output, is the one to turn newlines into what it needs.
  termios attributes = {};
  if (tcgetattr(console, &attributes) == 0 && (attributes.c_oflag & ONLCR) != 0) {
    attributes.c_oflag &= ~static_cast<tcflag_t>(ONLCR);
    (void)tcsetattr(console, TCSANOW, &attributes);
  }
  TerminalRelay relay(console);
  relay.copy_size();
  return relay;
}

void TerminalRelay::copy_size() {
  const WindowSize window = window_size();
  if (window.rows == 0) return;
  const winsize size = {
      .ws_row = window.rows, .ws_col = window.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  (void)ioctl(console_, TIOCSWINSZ, &size);
}

void TerminalRelay::ask(pollfd* watched) const {
  bool read_input = input_open_ && to_console_.size() < kBuffer;
  bool read_console = console_open_ && to_output_.size() < kBuffer;
  bool write_console = console_open_ && !to_console_.empty();
  bool write_output = output_open_ && !to_output_.empty();
  auto console_events = (read_console ? POLLIN : 0) | (write_console ? POLLOUT : 0);
  watched[0] = {read_input ? STDIN_FILENO : -1, POLLIN, 0};
  watched[1] = {console_events != 0 ? console_ : -1, static_cast<short>(console_events), 0};
  watched[2] = {write_output ? STDOUT_FILENO : -1, POLLOUT, 0};
}

void TerminalRelay::move(const pollfd* watched) {
  if (watched[0].revents != 0) read_input();
  if ((watched[1].revents & POLLOUT) != 0) write_console();
  if ((watched[1].revents & ~POLLOUT) != 0) read_console();
  if (watched[2].revents != 0) write_output();
}

void TerminalRelay::read_input() {
  auto count = read_some(STDIN_FILENO, to_console_);
  if (count > 0) at_line_start_ = to_console_.back() == '\n';
  if (count == 0) end_of_input();
}

// The container's program sees the end of our input as it would on any terminal.
void TerminalRelay::end_of_input() {
  input_open_ = false;
  termios attributes = {};
  if (tcgetattr(console_, &attributes) != 0 || (attributes.c_lflag & ICANON) == 0) return;
  auto end = static_cast<char>(attributes.c_cc[VEOF]);
  // The first one ends a line that has no newline.
  if (!at_line_start_) to_console_ += end;
  to_console_ += end;
}

void TerminalRelay::read_console() {
  if (read_some(console_, to_output_) == 0) console_open_ = false;
  if (!output_open_) to_output_.clear();
}

void TerminalRelay::write_console() {
  if (!write_some(console_, to_console_)) to_console_.clear();
}

void TerminalRelay::write_output() {
  if (write_some(STDOUT_FILENO, to_output_)) return;
  output_open_ = false;
  to_output_.clear();
}

void TerminalRelay::finish() {
  while (console_open_ || !to_output_.empty()) {
    while (!to_output_.empty()) {
      pollfd output = {STDOUT_FILENO, POLLOUT, 0};
      (void)poll(&output, 1, -1);
      write_output();
    }
    if (!console_open_) return;
    auto count = read_some(console_, to_output_);
    if (count < 0 && errno == EAGAIN) return;
    if (count == 0) console_open_ = false;
    if (!output_open_) to_output_.clear();
  }
}

}  // namespace berth::cli
