// SPDX-License-Identifier: Apache-2.0
#include "sync/protocol.h"

#include <gtest/gtest.h>

namespace berth::sync {
namespace {

using enum Message;

struct Row {
  Conversation conversation;
  std::vector<Message> expected;
};

TEST(Protocol, SaysWhatInitMustSayInOrder) {
  const Row rows[] = {
      {{}, {Ready}},
      {{.joiner = true}, {InitPid, Ready}},
      {{.ids = true}, {IdsWanted, Ready}},
      {{.host_work = true}, {NamespacesReady, Ready}},
      {{.console = true}, {Console, Ready}},
      {{.listener = true}, {SeccompListener, Ready}},
      {{.joiner = true, .ids = true}, {InitPid, IdsWanted, Ready}},
      {{.ids = true, .console = true}, {IdsWanted, Console, Ready}},
      {{.joiner = true, .ids = true, .host_work = true, .console = true, .listener = true},
       {InitPid, IdsWanted, NamespacesReady, Console, SeccompListener, Ready}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(&row - rows);
    EXPECT_EQ(expected_messages(row.conversation), row.expected);
  }
}

TEST(Protocol, EndsEachConversationWithReadyAlone) {
  for (unsigned bits = 0; bits < 32; ++bits) {
    const auto messages = expected_messages({.joiner = (bits & 1) != 0,
                                             .ids = (bits & 2) != 0,
                                             .host_work = (bits & 4) != 0,
                                             .console = (bits & 8) != 0,
                                             .listener = (bits & 16) != 0});
    EXPECT_EQ(messages.size(), 1 + static_cast<size_t>(__builtin_popcount(bits)));
    EXPECT_EQ(messages.back(), Ready);
    for (const Message message : messages) EXPECT_LT(message, IdsMapped) << "the host's word";
  }
}

}  // namespace
}  // namespace berth::sync
