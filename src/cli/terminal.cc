// SPDX-License-Identifier: Apache-2.0
#include "cli/terminal.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <utility>

namespace berth::cli {

WindowSize window_size() {
  winsize size = {};
  for (int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_row != 0)
      return {.rows = size.ws_row, .columns = size.ws_col};
  }
  return {};
}

RawTerminal::RawTerminal(Newlines newlines) {
  if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
  termios raw = before_;
  cfmakeraw(&raw);
  if (newlines == Newlines::Turned) raw.c_oflag |= OPOST;
  restore_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

RawTerminal::RawTerminal(RawTerminal&& other) noexcept
    : restore_(std::exchange(other.restore_, false)), before_(other.before_) {}

RawTerminal::~RawTerminal() {
  if (restore_) (void)tcsetattr(STDIN_FILENO, TCSADRAIN, &before_);
}

}  // namespace berth::cli
