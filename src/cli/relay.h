// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <string>
#include <string_view>

#include "berth/error.h"
#include "berth/process.h"
#include "cli/terminal.h"

namespace berth::cli {

// Carries bytes between standard input, standard output and the master end of a container's
// terminal. While it lives, our own terminal is raw; its end puts it back.
class TerminalRelay {
 public:
  static constexpr size_t kDescriptors = 3;

  static Result<TerminalRelay> open(int console);

  void ask(pollfd* watched) const;   // fills kDescriptors entries
  void move(const pollfd* watched);  // after poll
  void finish();                     // what the program wrote before it ended
  void copy_size();                  // our window's size to the container's terminal

 private:
  explicit TerminalRelay(int console) : console_(console) {}
  void read_input();
  void read_console();
  void write_console();
  void write_output();
  void end_of_input();

  RawTerminal own_{RawTerminal::Newlines::Turned};
  int console_;
  bool input_open_ = true;
  bool console_open_ = true;
  bool output_open_ = true;
  bool at_line_start_ = true;  // of what was read from our input
  std::string to_console_ = {};
  std::string to_output_ = {};
};

}  // namespace berth::cli
