// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <vector>

#include "berth/error.h"

namespace berth::engine {

// Changes of something that lives on: each step says beforehand how it is undone.
class Transaction {
 public:
  using Undo = std::function<Result<>()>;
  void on_failure(Undo undo) { undo_.push_back(std::move(undo)); }
  // Undoes all, newest first. Returns the failure with what became of it: that nothing was changed,
  // or what could not be undone.
  std::unexpected<Error> roll_back(Error failure);

 private:
  std::vector<Undo> undo_ = {};
};

}  // namespace berth::engine
