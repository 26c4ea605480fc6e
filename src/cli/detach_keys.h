// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>

#include "berth/error.h"

namespace berth::cli {

// Keys that mean "leave", found in what is typed. None: nothing does.
class DetachKeys {
 public:
  // "ctrl-p,ctrl-q", "q,u,i,t". InvalidUse names the word.
  static Result<DetachKeys> parse(std::string_view text);

  struct Typed {
    std::string bytes = {};  // to be passed on
    bool leave = false;
  };
  // The beginning of the keys is held until it is clear what it is.
  Typed take(std::string_view bytes);

 private:
  std::string keys_ = {};
  size_t seen_ = 0;  // of them, in order
};

}  // namespace berth::cli
