// SPDX-License-Identifier: Apache-2.0
#include "plan/make_plan.h"

#include <gtest/gtest.h>
#include <linux/capability.h>
#include <sched.h>

#include <algorithm>

namespace berth::plan {
namespace {

using Names = std::vector<std::string>;

class MakePlan : public testing::Test {
 protected:
  MakePlan() {
    spec_.root = spec::Root{.path = "rootfs"};
    spec_.process = spec::Process{.cwd = "/", .args = {"sh"}};
    spec_.platform.namespaces = {{.type = spec::NamespaceType::Mount},
                                 {.type = spec::NamespaceType::Pid}};
  }

  Plan planned() {
    Result<Plan> plan = make_plan(spec_, facts_, request_);
    EXPECT_TRUE(plan) << plan.error().message();
    return plan ? std::move(*plan) : Plan{};
  }
  Error refused() {
    Result<Plan> plan = make_plan(spec_, facts_, request_);
    EXPECT_FALSE(plan);
    return plan ? Error(ErrorKind::Internal, "not refused") : std::move(plan.error());
  }

  spec::Spec spec_;
  HostFacts facts_{
      .capabilities = ~uint64_t{0},
      .cgroup_layout = CgroupLayout::V2,
      .hierarchies = {{.mountpoint = "/sys/fs/cgroup", .own_path = "/", .is_v2 = true}}};
  Request request_{.id = "c1", .bundle = "/bundle", .cgroup_driver = CgroupDriver::Disabled};
};

TEST_F(MakePlan, TiesThePlansTogether) {
  spec_.hostname = "h";
  spec_.platform.namespaces.push_back({.type = spec::NamespaceType::Network});
  request_.preserve_fds = 2;
  const Plan plan = planned();
  EXPECT_EQ(plan.host.id, "c1");
  EXPECT_EQ(plan.init.id, "c1");
  EXPECT_EQ(plan.init.root.path, "/bundle/rootfs");
  EXPECT_EQ(plan.init.hostname, "h");
  EXPECT_TRUE(plan.init.bring_up_loopback && plan.init.new_mount_namespace &&
              plan.init.process.new_keyring);
  EXPECT_FALSE(plan.init.new_user_namespace);
  EXPECT_EQ(plan.init.process.preserve_fds, 2);
  EXPECT_EQ(plan.init.devices.size(), 6U);
}

TEST_F(MakePlan, LoopbackIsLeftAloneInAJoinedNetwork) {
  spec_.platform.namespaces.push_back({.type = spec::NamespaceType::Network, .path = "/n"});
  EXPECT_FALSE(planned().init.bring_up_loopback);
}

TEST_F(MakePlan, DevicesAreBoundInsideSomebodysUserNamespace) {
  EXPECT_FALSE(planned().init.bind_devices);
  facts_.in_user_namespace = true;
  EXPECT_TRUE(planned().init.bind_devices);
}

TEST_F(MakePlan, SysctlsByEitherSeparator) {
  spec_.platform.sysctl = {{"net.ipv4.ip_forward", "1"}, {"net/ipv4/conf/eth0.1/x", "2"}};
  const std::vector<SysctlItem> items = planned().init.sysctls;
  ASSERT_EQ(items.size(), 2U);
  EXPECT_EQ(items[0].path, "net/ipv4/ip_forward");
  EXPECT_EQ(items[0].pointer, "/linux/sysctl/net.ipv4.ip_forward");
  EXPECT_EQ(items[1].path, "net/ipv4/conf/eth0.1/x");
  EXPECT_EQ(items[1].pointer, "/linux/sysctl/net~1ipv4~1conf~1eth0.1~1x");
  spec_.platform.sysctl = {{"net/../kernel/x", "1"}};
  EXPECT_EQ(refused().pointer(), "/linux/sysctl/net~1..~1kernel~1x");
}

TEST_F(MakePlan, HooksAndTheirEnvironment) {
  spec_.process->env = {"A=1"};
  spec_.hooks.prestart = {{.path = "/a"}};
  spec_.hooks.create_container = {
      {.path = "/b", .args = {"bb", "x"}, .env = Names{"B=1"}, .timeout = 3}};
  spec_.hooks.start_container = {{.path = "/c"}, {.path = "/d", .env = Names{}}};
  const Plan plan = planned();
  EXPECT_EQ(plan.host.prestart.at(0).args, Names{"/a"});
  EXPECT_TRUE(plan.host.prestart[0].env.empty());
  EXPECT_EQ(plan.host.prestart[0].pointer, "/hooks/prestart/0");
  EXPECT_EQ(plan.init.create_container.at(0).args, (Names{"bb", "x"}));
  EXPECT_EQ(plan.init.create_container[0].env, Names{"B=1"});
  EXPECT_EQ(plan.init.create_container[0].timeout_seconds, 3);
  EXPECT_EQ(plan.init.start_container.at(0).env, Names{"A=1"});
  EXPECT_TRUE(plan.init.start_container.at(1).env.empty());
}

TEST_F(MakePlan, PassesListenFds) {
  facts_.listen_fds = facts_.open_listen_fds = 2;
  request_.preserve_fds = 1;
  spec_.process->env = {"LISTEN_FDS=9", "A=1"};
  const ProcessPlan process = planned().init.process;
  EXPECT_EQ(process.env, (Names{"A=1", "LISTEN_FDS=2"}));
  EXPECT_TRUE(process.listen_pid);
  EXPECT_EQ(process.preserve_fds, 3);
  facts_.open_listen_fds = 0;
  EXPECT_EQ(planned().init.process.preserve_fds, 1) << "what is not there is not passed";
  facts_.listen_names = "a:b";
  EXPECT_EQ(planned().init.process.env, (Names{"A=1", "LISTEN_FDS=2", "LISTEN_FDNAMES=a:b"}));
  const ProcessPlan entered = make_enter_plan(spec_, *spec_.process, facts_, request_)->process;
  EXPECT_EQ(entered.preserve_fds, 1);
  EXPECT_FALSE(entered.listen_pid);
}

TEST_F(MakePlan, ChangesOnlyTheRootWhereTheMountsAreNotItsOwn) {
  EXPECT_EQ(planned().init.root.entry, RootEntry::Pivot);
  const auto entry = [&](std::vector<spec::Namespace> namespaces) {
    spec_.platform.namespaces = std::move(namespaces);
    using enum spec::NamespaceType;
    const auto user = std::ranges::find(spec_.platform.namespaces, User, &spec::Namespace::type);
    const bool has_user = user != spec_.platform.namespaces.end();
    const bool maps = has_user && user->path.empty();
    spec_.platform.uid_mappings.assign(maps ? 1 : 0, {.container_id = 0, .host_id = 0, .size = 1});
    spec_.platform.gid_mappings = spec_.platform.uid_mappings;
    const Plan plan = planned();
    EXPECT_EQ(plan.init.root.isolation == 0, plan.init.root.entry == RootEntry::Chroot);
    EXPECT_EQ(plan.init.make_devices, plan.init.root.entry != RootEntry::Chroot || !has_user);
    return plan.init.root.entry;
  };
  using enum spec::NamespaceType;
  EXPECT_EQ(entry({{.type = Pid}}), RootEntry::Chroot);
  EXPECT_EQ(entry({{.type = Mount, .path = "/m"}}), RootEntry::Pivot);
  EXPECT_EQ(entry({{.type = Mount, .path = "/m"}, {.type = User}}), RootEntry::Chroot);
  EXPECT_EQ(entry({{.type = Mount, .path = "/m"}, {.type = User, .path = "/u"}}), RootEntry::Pivot);
  EXPECT_EQ(entry({{.type = User}}), RootEntry::Chroot);
  facts_.joined_mounts_are_foreign = true;
  EXPECT_EQ(entry({{.type = Mount, .path = "/m"}, {.type = User, .path = "/u"}}),
            RootEntry::Chroot);
  request_.no_pivot = true;
  EXPECT_EQ(entry({{.type = Pid}}), RootEntry::Chroot);
}

TEST_F(MakePlan, NothingIsMountedWhereTheMountsAreNotItsOwn) {
  spec_.platform.namespaces = {{.type = spec::NamespaceType::Pid}};
  const auto pointer = [&](auto change) {
    const spec::Spec before = spec_;
    change(spec_);
    const Error error = refused();
    EXPECT_EQ(error.kind(), ErrorKind::InvalidConfig);
    spec_ = before;
    return std::string(error.pointer());
  };
  EXPECT_EQ(pointer([](auto& spec) { spec.mounts = {{.destination = "/x", .type = "tmpfs"}}; }),
            "/mounts/0");
  EXPECT_EQ(pointer([](auto& spec) { spec.root->readonly = true; }), "/root/readonly");
  EXPECT_EQ(pointer([](auto& spec) { spec.platform.masked_paths = {"/x"}; }),
            "/linux/maskedPaths/0");
  EXPECT_EQ(pointer([](auto& spec) { spec.platform.readonly_paths = {"/x"}; }),
            "/linux/readonlyPaths/0");
  EXPECT_EQ(pointer([](auto& spec) { spec.platform.rootfs_propagation = "slave"; }),
            "/linux/rootfsPropagation");
  spec_.platform.devices = {{.path = "/dev/x", .type = 'p'}};
  EXPECT_TRUE(planned().init.make_devices);
  facts_.in_user_namespace = true;
  EXPECT_EQ(refused().pointer(), "/linux/devices/0");
}

TEST_F(MakePlan, SourcesAreOpenedByWhoMay) {
  spec_.platform.namespaces.push_back({.type = spec::NamespaceType::User});
  spec_.platform.uid_mappings = spec_.platform.gid_mappings = {{0, 0, 1}};
  spec_.mounts = {{.destination = "/x", .source = "/y", .options = {"bind"}}};
  EXPECT_TRUE(planned().init.mounts.at(0).source_first);
  facts_.capabilities = 0;
  EXPECT_FALSE(planned().init.mounts.at(0).source_first);
}

TEST_F(MakePlan, NetDevicesNeedTheHostsRights) {
  spec_.platform.net_devices = {{.host_name = "eth1", .name = "net0"}};
  EXPECT_EQ(refused().pointer(), "/linux/netDevices");
  EXPECT_EQ(refused().kind(), ErrorKind::InvalidConfig);
  spec_.platform.namespaces.push_back({.type = spec::NamespaceType::Network});
  EXPECT_EQ(planned().host.net_devices, spec_.platform.net_devices);
  request_.rootless = true;
  EXPECT_EQ(refused().kind(), ErrorKind::Unsupported);
  request_.rootless = false;
  facts_.in_user_namespace = true;
  EXPECT_EQ(refused().kind(), ErrorKind::Unsupported);
  facts_.in_user_namespace = false;
  facts_.capabilities = ~(uint64_t{1} << CAP_NET_ADMIN);
  EXPECT_EQ(refused().kind(), ErrorKind::Unsupported);
}

TEST_F(MakePlan, NeedsAProcess) {
  spec_.process.reset();
  EXPECT_EQ(refused().kind(), ErrorKind::InvalidConfig);
}

TEST_F(MakePlan, EntersAllNamespacesOfTheContainer) {
  spec_.platform.namespaces.push_back({.type = spec::NamespaceType::Network, .path = "/n"});
  request_.preserve_fds = 4;
  const Result<EnterPlan> plan = make_enter_plan(spec_, *spec_.process, facts_, request_);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->id, "c1");
  EXPECT_EQ(plan->namespaces, uint64_t{CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET});
  EXPECT_FALSE(plan->process.create_cwd);
  EXPECT_EQ(plan->process.preserve_fds, 4);
}

}  // namespace
}  // namespace berth::plan
