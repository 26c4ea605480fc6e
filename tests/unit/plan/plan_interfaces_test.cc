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
                                              .gateways = {"10.1.0.1"},
                                              .routes = {{.to = "10.2.0.0/16"}},
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
