// SPDX-License-Identifier: Apache-2.0
#include "driver/kept_streams.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "berth/try.h"
#include "core/context.h"
#include "driver/attach_protocol.h"

namespace berth::driver {
namespace {

constexpr size_t kMostPending = 65536;
// A pipe that poll calls writable takes this much without blocking.
constexpr size_t kPiece = 4096;

Result<> set_nonblocking(int descriptor) {
  const int flags = ::fcntl(descriptor, F_GETFL);
  if (flags >= 0 && ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) >= 0) return {};
  return system_error(errno, "prepare the program's streams");
}

// One end becomes standard stream `number`; the other is returned.
Result<os::UniqueFd> make_pipe(int number) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) < 0) return system_error(errno, "make a pipe");
  os::UniqueFd read(ends[0]), write(ends[1]);
  os::UniqueFd& inside = number == STDIN_FILENO ? read : write;
  os::UniqueFd& ours = number == STDIN_FILENO ? write : read;
  TRY(set_nonblocking(ours.get()));
  if (::dup2(inside.get(), number) < 0) return system_error(errno, "make a standard stream");
  return std::move(ours);
}

}  // namespace

Result<KeptStreams> KeptStreams::make_pipes() {
  KeptStreams streams;
  streams.input_ = TRY(make_pipe(STDIN_FILENO));
  streams.output_ = TRY(make_pipe(STDOUT_FILENO));
  streams.error_ = TRY(make_pipe(STDERR_FILENO));
  return streams;
}

Result<KeptStreams> KeptStreams::of_terminal(int console) {
  TRY(set_nonblocking(console));
  KeptStreams streams;
  streams.console_ = console;
  streams.error_open_ = false;
  return streams;
}

int KeptStreams::output_fd(int number) const {
  if (number == 1 && output_open_) return is_terminal() ? console_ : output_.get();
  return number == 2 && error_open_ ? error_.get() : -1;
}

bool KeptStreams::wants_input() const {
  return input_open_ && !ending_ && pending_.size() < kMostPending;
}

void KeptStreams::put_input(std::string_view bytes) {
  if (!input_open_ || ending_ || bytes.empty()) return;
  at_line_start_ = bytes.back() == '\n' || bytes.back() == '\r';
  pending_ += bytes;
}

// What a program on a terminal reads as the end of its input; the first one ends a line that has no
// newline. None in raw mode, where it would be a character like another.
std::string KeptStreams::terminal_end() const {
  termios attributes = {};
  if (::tcgetattr(console_, &attributes) != 0 || (attributes.c_lflag & ICANON) == 0) return {};
  return std::string(at_line_start_ ? 1 : 2, static_cast<char>(attributes.c_cc[VEOF]));
}

void KeptStreams::end_input() {
  if (ending_ || !input_open_) return;
  if (is_terminal())
    pending_ += terminal_end();  // and somebody else may attach and go on
  else
    ending_ = true;
}

void KeptStreams::resize(WindowSize size) const {
  if (!is_terminal() || size.rows == 0) return;
  const winsize window = {
      .ws_row = size.rows, .ws_col = size.columns, .ws_xpixel = 0, .ws_ypixel = 0};
  (void)::ioctl(console_, TIOCSWINSZ, &window);
}

void KeptStreams::ask(pollfd* watched, bool read) const {
  const int input = is_terminal() ? console_ : input_.get();
  watched[0] = {input_open_ && has_input() ? input : -1, POLLOUT, 0};
  for (int number : {1, 2}) watched[number] = {read ? output_fd(number) : -1, POLLIN, 0};
}

void KeptStreams::write_input() {
  const int descriptor = is_terminal() ? console_ : input_.get();
  if (!pending_.empty()) {
    const ssize_t count = ::write(descriptor, pending_.data(), std::min(pending_.size(), kPiece));
    if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (count < 0) {  // nobody reads any more
      pending_.clear();
      ending_ = true;
    } else {
      pending_.erase(0, static_cast<size_t>(count));
    }
  }
  if (!pending_.empty() || !ending_) return;
  input_open_ = false;
  input_.reset();
}

std::string KeptStreams::read_output(int number) {
  const int descriptor = output_fd(number);
  if (descriptor < 0) return {};
  std::string bytes(kMostInPacket - 1, '\0');
  const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
  const bool later = count < 0 && (errno == EAGAIN || errno == EINTR);
  // A terminal that nobody has open says EIO.
  if (count == 0 || (count < 0 && !later)) close_output(number);
  bytes.resize(count > 0 ? static_cast<size_t>(count) : 0);
  return bytes;
}

}  // namespace berth::driver
