// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "plan/interface_plan.h"
#include "spec/interfaces.h"

namespace berth::plan {
namespace {

Result<std::vector<InterfacePlan>> planned(const Interface& wanted) {
  return plan_interfaces({wanted}, {}, "/list");
}

InterfacePlan plan_of(const Interface& wanted) {
  auto plans = planned(wanted);
  EXPECT_TRUE(plans) << plans.error().message();
  return plans ? plans->front() : InterfacePlan{};
}

TEST(PlanInterfaces, TurnsTextIntoNumbers) {
  const InterfacePlan plan = plan_of({.link = "br0",
                                      .make_link = true,
                                      .addresses = {"10.1.0.2/24", "fd00::2/64"},
                                      .gateways = {"10.1.0.1", "fd00::1", "fe80::1"},
                                      .routes = {{.to = "10.0.0.0/8", .via = "10.1.0.9"}},
                                      .mtu = 1280,
                                      .mac = "02:42:0a:01:00:fe"});
  EXPECT_EQ(plan.name, "eth0");
  EXPECT_EQ(plan.addresses[0].address.bytes, std::string("\x0a\x01\x00\x02", 4));
  EXPECT_EQ(plan.hardware, std::string("\x02\x42\x0a\x01\x00\xfe", 6));
  ASSERT_EQ(plan.routes.size(), 4U);
  EXPECT_EQ(to_string(plan.routes[0].to), "0.0.0.0/0");
  EXPECT_EQ(to_string(plan.routes[0].via), "10.1.0.1");
  EXPECT_EQ(to_string(plan.routes[1].to), "::/0");
  EXPECT_EQ(to_string(plan.routes[3].to), "10.0.0.0/8");
  // The bridge is what the container takes for its gateway; a link's own address needs no giving.
  ASSERT_EQ(plan.link_addresses.size(), 2U);
  EXPECT_EQ(to_string(plan.link_addresses[0]), "10.1.0.1/24");
  EXPECT_EQ(to_string(plan.link_addresses[1]), "fd00::1/64");
}

TEST(PlanInterfaces, NamesThoseWithoutAName) {
  const std::vector<Interface> wanted = {
      {.link = "br0"}, {.link = "br0", .name = "eth1"}, {.link = "br0"}};
  const std::string taken[] = {"lo", "eth0"};
  const auto plans = plan_interfaces(wanted, taken, "");
  ASSERT_TRUE(plans);
  EXPECT_EQ((*plans)[0].name, "eth2");
  EXPECT_EQ((*plans)[1].name, "eth1");
  EXPECT_EQ((*plans)[2].name, "eth3");
}

TEST(PlanInterfaces, RefusesANameTwice) {
  const std::vector<Interface> twice = {{.link = "br0", .name = "a"}, {.link = "br0", .name = "a"}};
  const auto plans = plan_interfaces(twice, {}, "/list");
  ASSERT_FALSE(plans);
  EXPECT_EQ(plans.error().pointer(), "/list/0/name");
}

TEST(PlanInterfaces, GivesASubnetItsFirstAddressAsTheGateway) {
  const InterfacePlan plan = plan_of({.link = "br0",
                                      .make_link = true,
                                      .subnets = {"10.1.0.0/24", "fd00::/64"},
                                      .gateways = {"fd00::9"}});
  ASSERT_EQ(plan.subnets.size(), 2U);
  ASSERT_EQ(plan.link_addresses.size(), 2U);
  EXPECT_EQ(to_string(plan.link_addresses[0]), "fd00::9/64");
  EXPECT_EQ(to_string(plan.link_addresses[1]), "10.1.0.1/24");
  EXPECT_EQ(plan.routes.size(), 2U);
  EXPECT_EQ(plan.subnets[0].reserved.size(), 1U);
  // There is one way to everywhere: the one that was asked for.
  const InterfacePlan more = plan_of({.link = "br0",
                                      .make_link = true,
                                      .addresses = {"10.2.0.2/24"},
                                      .subnets = {"10.1.0.0/24"},
                                      .gateways = {"10.2.0.1"}});
  ASSERT_EQ(more.routes.size(), 1U);
  EXPECT_EQ(to_string(more.routes[0].via), "10.2.0.1");
  EXPECT_EQ(more.link_addresses.size(), 2U);
}

TEST(PlanInterfaces, ReadsPorts) {
  const InterfacePlan plan =
      plan_of({.link = "br0",
               .addresses = {"10.1.0.2/24"},
               .nat = true,
               .ports = {{.host = "127.0.0.1", .host_port = 1, .port = 2},
                         {.host = "127.0.0.2", .host_port = 1, .port = 2},
                         {.protocol = PublishedPort::Protocol::Udp, .host_port = 1, .port = 3}}});
  EXPECT_TRUE(plan.nat);
  ASSERT_EQ(plan.ports.size(), 3U);
  EXPECT_EQ(to_string(plan.ports[0].host), "127.0.0.1");
  EXPECT_TRUE(plan.ports[2].host.bytes.empty());
}

struct Counted {
  const char* network;
  uint64_t number;
  const char* address;
};

class NumberedAddress : public testing::TestWithParam<Counted> {};

TEST_P(NumberedAddress, IsCountedFromTheNetworkAndBack) {
  const auto network = read_prefix(GetParam().network, "");
  ASSERT_TRUE(network);
  const IpAddress address = address_in(*network, GetParam().number);
  EXPECT_EQ(to_string(address), GetParam().address);
  EXPECT_EQ(number_in(*network, address), GetParam().number);
}

const Counted kCounted[] = {
    {"10.1.0.0/24", 1, "10.1.0.1"},       {"10.1.0.0/24", 254, "10.1.0.254"},
    {"10.1.255.64/29", 6, "10.1.255.70"}, {"10.0.0.0/8", 0x10203, "10.1.2.3"},
    {"fd00::/64", 0x10000, "fd00::1:0"},  {"fd00::/120", 255, "fd00::ff"},
    {"fd00::/12", 7, "fd00::7"},
};
INSTANTIATE_TEST_SUITE_P(All, NumberedAddress, testing::ValuesIn(kCounted));

struct Wrong {
  const char* pointer;
  Interface wanted;
};

class RefusedInterface : public testing::TestWithParam<Wrong> {};

TEST_P(RefusedInterface, NamesThePlace) {
  const auto plans = planned(GetParam().wanted);
  ASSERT_FALSE(plans);
  EXPECT_EQ(plans.error().pointer(), GetParam().pointer);
  EXPECT_EQ(plans.error().kind(), ErrorKind::InvalidConfig);
}

const Wrong kWrong[] = {
    {"/list/0/link", {}},
    {"/list/0/link", {.link = "a b"}},
    {"/list/0/name", {.link = "br0", .name = "eth%d"}},
    {"/list/0/makeLink", {.kind = Interface::Kind::Macvlan, .link = "eth0", .make_link = true}},
    {"/list/0/link", {.kind = Interface::Kind::Cni}},
    {"/list/0/link", {.kind = Interface::Kind::Cni, .link = "../net"}},
    {"/list/0/link", {.kind = Interface::Kind::Cni, .link = ".net"}},
    {"/list/0/makeLink", {.kind = Interface::Kind::Cni, .link = "net", .make_link = true}},
    {"/list/0/subnets", {.kind = Interface::Kind::Cni, .link = "net", .subnets = {"10.1.0.0/24"}}},
    {"/list/0/gateways", {.kind = Interface::Kind::Cni, .link = "net", .gateways = {"10.1.0.1"}}},
    {"/list/0/routes",
     {.kind = Interface::Kind::Cni, .link = "net", .routes = {{.to = "default"}}}},
    {"/list/0/nat", {.kind = Interface::Kind::Cni, .link = "net", .nat = true}},
    {"/list/0/mtu", {.kind = Interface::Kind::Cni, .link = "net", .mtu = 1400}},
    {"/list/0/addresses/0", {.link = "br0", .addresses = {"10.1.0.2"}}},
    {"/list/0/addresses/1", {.link = "br0", .addresses = {"10.1.0.2/24", "fd00::1/129"}}},
    {"/list/0/addresses/0", {.link = "br0", .addresses = {"10.1.0.2/"}}},
    {"/list/0/addresses/0", {.link = "br0", .addresses = {"10.1.0.2/24x"}}},
    {"/list/0/gateways/0", {.link = "br0", .gateways = {"10.1.0.1"}}},
    {"/list/0/routes/0/via", {.link = "br0", .routes = {{.to = "default", .via = "10.1.0.1"}}}},
    {"/list/0/routes/0/to", {.link = "br0", .routes = {{.to = "10.1.0.1/24"}}}},
    {"/list/0/routes/0",
     {.link = "br0",
      .addresses = {"10.1.0.2/24"},
      .routes = {{.to = "fd00::/64", .via = "10.1.0.1"}}}},
    {"/list/0/subnets/0", {.link = "br0", .subnets = {"10.1.0.1/24"}}},
    {"/list/0/subnets/0", {.link = "br0", .subnets = {"10.1.0.0/31"}}},
    {"/list/0/subnets/0", {.link = "br0", .subnets = {"fd00::/127"}}},
    {"/list/0/nat", {.link = "br0", .nat = true}},
    {"/list/0/ports", {.link = "br0", .ports = {{.host_port = 1, .port = 1}}}},
    {"/list/0/ports/0/host",
     {.link = "br0",
      .subnets = {"10.1.0.0/24"},
      .ports = {{.host = "::", .host_port = 1, .port = 1}}}},
    {"/list/0/ports/1/hostPort",
     {.link = "br0",
      .subnets = {"10.1.0.0/24"},
      .ports = {{.host = "127.0.0.1", .host_port = 1, .port = 1}, {.host_port = 1, .port = 2}}}},
    {"/list/0/mtu", {.link = "br0", .subnets = {"fd00::/64"}, .mtu = 1279}},
    {"/list/0/mtu", {.link = "br0", .mtu = 67}},
    {"/list/0/mtu", {.link = "br0", .addresses = {"fd00::2/64"}, .mtu = 1279}},
    {"/list/0/mtu", {.link = "br0", .mtu = 65536}},
    {"/list/0/mac", {.link = "br0", .mac = "02:42:0a:01:00"}},
    {"/list/0/mac", {.link = "br0", .mac = "02:42:0a:01:00:02:"}},
    {"/list/0/mac", {.link = "br0", .mac = "02:42:0a:01:00:0g"}},
    {"/list/0/mac", {.link = "br0", .mac = "02-42-0a-01-00-02"}},
    {"/list/0/mac", {.link = "br0", .mac = "03:42:0a:01:00:02"}},
};
INSTANTIATE_TEST_SUITE_P(All, RefusedInterface, testing::ValuesIn(kWrong));

TEST(Interfaces, AreWrittenAsTheyAreRead) {
  const std::vector<Interface> interfaces = {{.link = "br0",
                                              .make_link = true,
                                              .name = "eth7",
                                              .addresses = {"10.1.0.2/24"},
                                              .subnets = {"10.3.0.0/24"},
                                              .gateways = {"10.1.0.1"},
                                              .routes = {{.to = "10.2.0.0/16"}},
                                              .nat = true,
                                              .ports = {{.host = "::1", .host_port = 1, .port = 2}},
                                              .mtu = 1400,
                                              .mac = "02:42:0a:01:00:02"},
                                             {.kind = Interface::Kind::Macvlan, .link = "eth0"}};
  const auto read = spec::read_interfaces(spec::write_interfaces(interfaces));
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, interfaces);
}

TEST(Interfaces, HaveNoMembersThatNobodyKnows) {
  const std::string text = R"([{"type":"bridge","link":"br0","adresses":[]}])";
  const auto read = spec::read_interfaces(text);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().pointer(), "/0/adresses");
  const auto annotated = spec::read_annotated_interfaces(text);
  ASSERT_FALSE(annotated);
  EXPECT_EQ(annotated.error().pointer(), "/annotations/run.berth.interfaces/0/adresses");
}

}  // namespace
}  // namespace berth::plan
