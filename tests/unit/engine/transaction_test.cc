// SPDX-License-Identifier: Apache-2.0
#include "engine/transaction.h"

#include <errno.h>
#include <gtest/gtest.h>

#include "core/context.h"

namespace berth::engine {
namespace {

TEST(Transaction, UndoesTheNewestFirst) {
  Transaction transaction;
  std::string order;
  transaction.on_failure([&order]() -> Result<> {
    order += "a";
    return {};
  });
  transaction.on_failure([&order]() -> Result<> {
    order += "b";
    return {};
  });
  const Error failure = transaction.roll_back(Error(ErrorKind::WrongState, "no")).error();
  EXPECT_EQ(order, "ba");
  EXPECT_EQ(failure.kind(), ErrorKind::WrongState);
  EXPECT_EQ(failure.message(), "nothing was changed: no");
}

// One that fails does not keep the others from being tried, and is told.
TEST(Transaction, TellsWhatIsNotUndone) {
  Transaction transaction;
  bool undone = false;
  transaction.on_failure([&undone]() -> Result<> {
    undone = true;
    return {};
  });
  transaction.on_failure([]() -> Result<> { return system_error(EBUSY, "write 5 to pids.max"); });
  const Error failure = transaction.roll_back(Error(ErrorKind::System, "no")).error();
  EXPECT_TRUE(undone);
  EXPECT_EQ(failure.message(),
            "not all old values are back (write 5 to pids.max: device or resource busy): no");
}

}  // namespace
}  // namespace berth::engine
