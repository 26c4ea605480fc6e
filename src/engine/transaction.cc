// SPDX-License-Identifier: Apache-2.0
#include "engine/transaction.h"

#include "core/format.h"

namespace berth::engine {

std::unexpected<Error> Transaction::roll_back(Error failure) {
  std::string left;
  for (; !undo_.empty(); undo_.pop_back()) {
    const Result<> undone = undo_.back()();
    if (!undone) left += (left.empty() ? "" : "; ") + undone.error().message();
  }
  failure.add_context(left.empty() ? std::string("nothing was changed")
                                   : formatted("not all old values are back ({})", left));
  return std::unexpected(std::move(failure));
}

}  // namespace berth::engine
