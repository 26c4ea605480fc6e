// SPDX-License-Identifier: Apache-2.0
#include "os/netlink.h"

#include <gtest/gtest.h>

namespace berth::os {
namespace {

std::string text_of(std::span<const uint8_t> bytes) { return {bytes.begin(), bytes.end()}; }

TEST(RouteRequest, IsReadAsItWasBuilt) {
  ifinfomsg link{};
  link.ifi_index = 7;
  RouteRequest request(RTM_NEWLINK, NLM_F_EXCL, link);
  EXPECT_TRUE(request.attribute(IFLA_NET_NS_FD, 0x01020304U));
  EXPECT_TRUE(request.attribute(IFLA_IFNAME, std::string_view("eth0")));
  EXPECT_TRUE(request.attribute(IFLA_ADDRESS, std::span<const uint8_t>()));
  const nlmsghdr& message = *request.header();
  EXPECT_EQ(message.nlmsg_flags, NLM_F_REQUEST | NLM_F_EXCL);
  EXPECT_EQ(message.nlmsg_len % NLMSG_ALIGNTO, 0U);
  EXPECT_EQ(body_of<ifinfomsg>(message).ifi_index, 7);
  const RouteAttributes attributes = attributes_of<ifinfomsg>(message);
  EXPECT_EQ(text_of(attributes.find(IFLA_NET_NS_FD)), "\x04\x03\x02\x01");
  EXPECT_EQ(text_of(attributes.find(IFLA_IFNAME)), std::string("eth0", 5));
  EXPECT_TRUE(attributes.find(IFLA_ADDRESS).empty());
  EXPECT_TRUE(attributes.find(IFLA_MTU).empty());
}

TEST(RouteRequest, HoldsAttributesInAttributes) {
  ifinfomsg link{};
  link.ifi_index = 9;
  RouteRequest request(RTM_NEWLINK, 0, ifinfomsg{});
  const size_t outer = request.begin(IFLA_LINKINFO);
  EXPECT_TRUE(request.attribute(IFLA_INFO_KIND, std::string_view("veth")));
  const size_t inner =
      request.begin(IFLA_INFO_DATA, {reinterpret_cast<const uint8_t*>(&link), sizeof link});
  EXPECT_TRUE(request.attribute(IFLA_IFNAME, std::string_view("eth0")));
  request.end(inner);
  request.end(outer);
  EXPECT_TRUE(request.attribute(IFLA_MTU, 1400U));
  const RouteAttributes all = attributes_of<ifinfomsg>(*request.header());
  const RouteAttributes info{all.find(IFLA_LINKINFO)};
  EXPECT_EQ(text_of(info.find(IFLA_INFO_KIND)), std::string("veth", 5));
  const std::span<const uint8_t> data = info.find(IFLA_INFO_DATA);
  ASSERT_GT(data.size(), sizeof link);
  EXPECT_EQ(reinterpret_cast<const ifinfomsg*>(data.data())->ifi_index, 9);
  EXPECT_EQ(text_of(RouteAttributes{data.subspan(sizeof link)}.find(IFLA_IFNAME)),
            std::string("eth0", 5));
  EXPECT_EQ(all.find(IFLA_MTU).size(), sizeof(uint32_t));
}

TEST(RouteRequest, RefusesWhatHasNoRoom) {
  RouteRequest request(RTM_NEWLINK, 0, ifinfomsg{});
  EXPECT_FALSE(request.attribute(IFLA_IFNAME, std::string_view(std::string(256, 'x'))));
  const uint8_t bytes[600] = {};
  EXPECT_TRUE(request.attribute(IFLA_ADDRESS, bytes));
  EXPECT_EQ(request.header()->nlmsg_type, RTM_NEWLINK);
  EXPECT_FALSE(request.attribute(IFLA_BROADCAST, bytes));
  EXPECT_NE(request.header()->nlmsg_type, RTM_NEWLINK);  // never sent half
}

TEST(RouteAttributes, StopAtWhatIsCut) {
  const uint8_t bytes[8] = {12, 0, IFLA_IFNAME, 0, 'a', 'b', 'c', 'd'};  // says 12, has 8
  EXPECT_TRUE(RouteAttributes{bytes}.find(IFLA_IFNAME).empty());
  EXPECT_TRUE(RouteAttributes{}.find(IFLA_IFNAME).empty());
}

}  // namespace
}  // namespace berth::os
