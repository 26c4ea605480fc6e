// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "plan/make_plan.h"

namespace berth::plan {
namespace {

Plan planned(std::vector<spec::Device> devices) {
  spec::Spec spec;
  spec.platform.devices = std::move(devices);
  Plan plan;
  const Result<> result = plan_devices(spec, plan);
  EXPECT_TRUE(result);
  return plan;
}

TEST(PlanDevices, DefaultsAndLinks) {
  const Plan plan = planned({});
  std::string paths;
  for (const DeviceItem& item : plan.init.devices) {
    EXPECT_EQ(item.mode, mode_t{S_IFCHR | 0666});
    paths += item.path + " ";
  }
  EXPECT_EQ(paths, "/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty ");
  EXPECT_EQ(plan.init.devices[0].major, 1U);
  EXPECT_EQ(plan.init.devices[0].minor, 3U);
  std::string links;
  for (const LinkItem& link : plan.init.links) links += link.path + ">" + link.target + " ";
  EXPECT_EQ(links,
            "/dev/fd>/proc/self/fd /dev/stdin>/proc/self/fd/0 /dev/stdout>/proc/self/fd/1 "
            "/dev/stderr>/proc/self/fd/2 /dev/ptmx>pts/ptmx /dev/core>/proc/kcore ");
  EXPECT_FALSE(plan.init.bind_devices);
}

TEST(PlanDevices, TypesModesAndOwners) {
  const Plan plan = planned({{.path = "/dev//fuse/", .type = 'u', .major = 10, .minor = 229},
                             {.path = "/dev/sda",
                              .type = 'b',
                              .major = 8,
                              .minor = 0,
                              .file_mode = 0100640,
                              .uid = 1,
                              .gid = 2},
                             {.path = "/run/pipe", .type = 'p', .file_mode = 0600}});
  ASSERT_EQ(plan.init.devices.size(), 9U);
  const DeviceItem& fuse = plan.init.devices[6];
  EXPECT_EQ(fuse.path, "/dev/fuse");
  EXPECT_EQ(fuse.mode, mode_t{S_IFCHR | 0666});
  EXPECT_EQ(fuse.minor, 229U);
  EXPECT_EQ(fuse.pointer, "/linux/devices/0");
  EXPECT_EQ(plan.init.devices[7].mode, mode_t{S_IFBLK | 0640});
  EXPECT_EQ(plan.init.devices[7].uid, 1U);
  EXPECT_EQ(plan.init.devices[7].gid, 2U);
  EXPECT_EQ(plan.init.devices[8].mode, mode_t{S_IFIFO | 0600});
}

TEST(PlanDevices, SpecReplacesADefaultButNotALink) {
  const Plan plan =
      planned({{.path = "/dev/null", .type = 'c', .major = 1, .minor = 3, .file_mode = 0600},
               {.path = "/dev/ptmx", .type = 'c', .major = 5, .minor = 2}});
  ASSERT_EQ(plan.init.devices.size(), 6U);
  EXPECT_EQ(plan.init.devices[0].mode, mode_t{S_IFCHR | 0600});
  EXPECT_EQ(plan.init.devices[0].pointer, "/linux/devices/0");
}

TEST(PlanDevices, BoundInAUserNamespace) {
  spec::Spec spec;
  Plan plan;
  plan.host.namespaces.clone_flags = 0x10000000;  // CLONE_NEWUSER
  ASSERT_TRUE(plan_devices(spec, plan));
  EXPECT_TRUE(plan.init.bind_devices);
}

TEST(PlanDevices, SaysThatABoundNodeKeepsItsOwner) {
  spec::Spec spec;
  spec.platform.devices = {
      {.path = "/dev/a", .type = 'c', .major = 1, .minor = 3},
      {.path = "/dev/b", .type = 'c', .major = 1, .minor = 3, .file_mode = 0600},
      {.path = "/dev/c", .type = 'p', .file_mode = 0600}};
  Plan plan;
  plan.host.namespaces.clone_flags = 0x10000000;  // CLONE_NEWUSER
  ASSERT_TRUE(plan_devices(spec, plan));
  ASSERT_EQ(plan.host.warnings.size(), 1U);
  EXPECT_TRUE(plan.host.warnings[0].starts_with("/linux/devices/1: "));
}

TEST(PlanDevices, SaysThatABoundDevKeepsItsOwn) {
  spec::Spec spec;
  spec.platform.devices = {{.path = "/dev/fuse", .type = 'c', .major = 10, .minor = 229}};
  Plan plan;
  plan.init.make_devices = false;
  ASSERT_TRUE(plan_devices(spec, plan));
  EXPECT_EQ(plan.host.warnings.size(), 1U);
}

TEST(PlanDevices, RefusesNumbersThatAreNone) {
  spec::Spec spec;
  Plan plan;
  spec.platform.devices = {{.path = "/dev/x", .type = 'c', .major = -1, .minor = 0}};
  EXPECT_EQ(plan_devices(spec, plan).error().pointer(), "/linux/devices/0/major");
  spec.platform.devices = {{.path = "/dev/x", .type = 'c', .major = 1, .minor = int64_t{1} << 32}};
  EXPECT_EQ(plan_devices(spec, plan).error().pointer(), "/linux/devices/0/minor");
  spec.platform.devices = {{.path = "/dev/x", .type = 'q'}};
  EXPECT_EQ(plan_devices(spec, plan).error().pointer(), "/linux/devices/0/type");
}

}  // namespace
}  // namespace berth::plan
