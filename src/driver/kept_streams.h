// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <poll.h>

#include <string>
#include <string_view>

#include "berth/error.h"
#include "berth/process.h"
#include "os/fd.h"

namespace berth::driver {

// The keeper's ends of a program's standard streams: the master of its terminal, or three pipes.
// Nothing here blocks.
class KeptStreams {
 public:
  static constexpr size_t kDescriptors = 3;

  // Three pipes; their other ends become the caller's standard streams, for the program to inherit.
  static Result<KeptStreams> make_pipes();
  // Not owned: the Process's.
  static Result<KeptStreams> of_terminal(int console);

  bool is_terminal() const { return console_ >= 0; }
  bool wants_input() const;  // there is room, and the program can have more
  void put_input(std::string_view bytes);
  void end_input();  // after what was put
  void resize(WindowSize size) const;

  // Fills kDescriptors entries. read: whether its output is wanted now.
  void ask(pollfd* watched, bool read) const;
  // Hands pieces of output to `output(is_error, bytes)`.
  template <typename Output>
  void move(const pollfd* watched, const Output& output) {
    if ((watched[0].revents & (POLLOUT | POLLERR)) != 0 && has_input()) write_input();
    for (int number : {1, 2}) {
      const bool asked = watched[number].fd >= 0;
      if (asked && finishing_ && watched[number].revents == 0) close_output(number);
      if (watched[number].revents == 0) continue;
      const std::string bytes = read_output(number);
      if (!bytes.empty()) output(number == 2, bytes);
    }
  }
  // Whether a stream of output may still have something: false once all have ended.
  bool is_open() const { return output_open_ || error_open_; }
  // The program has ended: what waits is read, and what others hold open is not waited for.
  void finish() { finishing_ = true; }

 private:
  bool has_input() const { return !pending_.empty() || (ending_ && input_open_); }
  void write_input();
  std::string read_output(int number);
  void close_output(int number) { (number == 1 ? output_open_ : error_open_) = false; }
  int output_fd(int number) const;
  std::string terminal_end() const;

  int console_ = -1;
  os::UniqueFd input_ = {};
  os::UniqueFd output_ = {};
  os::UniqueFd error_ = {};
  std::string pending_ = {};
  bool at_line_start_ = true;
  bool ending_ = false;  // no more input comes
  bool input_open_ = true;
  bool output_open_ = true;
  bool error_open_ = true;
  bool finishing_ = false;
};

}  // namespace berth::driver
