// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <termios.h>

#include "berth/process.h"

namespace berth::cli {

// Of our own terminal, whichever standard stream it is on.
WindowSize window_size();

// Our own terminal, on standard input, raw while this lives: each key goes on as it is pressed.
// Nothing when standard input is none.
class RawTerminal {
 public:
  // Newlines: whether it is the one that turns them into what a terminal needs.
  enum class Newlines : unsigned char { Turned, AsTheyAre };
  explicit RawTerminal(Newlines newlines);
  RawTerminal(RawTerminal&& other) noexcept;
  RawTerminal& operator=(RawTerminal&&) = delete;
  ~RawTerminal();

 private:
  bool restore_ = false;
  termios before_ = {};
};

}  // namespace berth::cli
