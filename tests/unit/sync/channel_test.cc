// SPDX-License-Identifier: Apache-2.0
#include "sync/channel.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include "os/socket.h"

namespace berth::sync {
namespace {

struct Ends {
  Ends() {
    auto pair = os::packet_pair();
    host = HostEnd(std::move(pair->first));
    inside = std::move(pair->second);
  }
  HostEnd host = {};
  os::UniqueFd inside = {};
};

TEST(Channel, HandsOverTheNetwork) {
  const Ends ends;
  const os::UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ASSERT_TRUE(ends.host.network(file.get()));
  const auto received = InitEnd(ends.inside.get()).receive_network();
  ASSERT_TRUE(received);
  EXPECT_NE(::fcntl(*received, F_GETFD) & FD_CLOEXEC, 0);
  ::close(*received);
}

TEST(Channel, WithoutADescriptorThereIsNoNetwork) {
  const Ends ends;
  ASSERT_TRUE(ends.host.network(-1));
  EXPECT_FALSE(InitEnd(ends.inside.get()).receive_network());
}

TEST(Channel, LastWordsAreHeardAlthoughInitDidNotListen) {
  Ends ends;
  ASSERT_TRUE(ends.host.network(-1));
  InitEnd(ends.inside.get()).failed({.step = Step::IsolateMounts, .os_error = ENOENT});
  ends.inside.reset();
  const auto heard = ends.host.hear();
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->packet.message, Message::Failed);
  EXPECT_EQ(heard->packet.failure.step, Step::IsolateMounts);
  EXPECT_FALSE(ends.host.hear()) << "then it is the end";
}

TEST(Channel, InitMayBeHeardBeforeTheJoinerHasIntroducedIt) {
  Ends ends;
  const InitEnd init(ends.inside.get());
  const os::UniqueFd file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  const auto say = [&](Message message) {
    const Packet packet{.message = message};
    ASSERT_EQ(os::send_packet(ends.inside.get(), &packet, sizeof packet), long{sizeof packet});
  };
  say(Message::Console);
  say(Message::Ready);
  ASSERT_TRUE(init.announce_init(file.get(), 7));
  const auto introduced = ends.host.hear(Message::InitPid);
  ASSERT_TRUE(introduced);
  EXPECT_EQ(introduced->packet.value, 7);
  EXPECT_EQ(ends.host.hear(Message::Console)->packet.message, Message::Console);
  EXPECT_EQ(ends.host.hear(Message::Ready)->packet.message, Message::Ready);
}

TEST(Channel, AFailureIsHeardAtOnce) {
  Ends ends;
  InitEnd(ends.inside.get()).failed({.step = Step::JoinNamespaces});
  EXPECT_EQ(ends.host.hear(Message::InitPid)->packet.message, Message::Failed);
}

}  // namespace
}  // namespace berth::sync
