// SPDX-License-Identifier: Apache-2.0
#include "engine/live/cgroup_id.h"

#include <gtest/gtest.h>

namespace berth::engine {
namespace {

const std::string kId = std::string(30, 'a') + "0123456789" + std::string(24, 'f');

TEST(CgroupId, IsFoundAsEnginesNameIt) {
  for (const char* const around :
       {"0::/system.slice/docker-{}.scope\n", "0::/docker/{}\n",
        "0::/machine.slice/libpod-{}.scope/container\n", "0::/isulad/{}\n",
        "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-{}.scope\n",
        "12:memory:/kubepods/burstable/pod0a/{}\n1:name=systemd:/\n", "0::/k8s.io/crio-{}\n"}) {
    std::string text(around);
    text.replace(text.find("{}"), 2, kId);
    EXPECT_EQ(id_in_cgroups(text), kId) << text;
  }
}

TEST(CgroupId, IsAShortNameOtherwise) {
  EXPECT_EQ(id_in_cgroups("0::/web\n"), "web");
  EXPECT_EQ(id_in_cgroups("0::/a/b/runc-web-1.scope\n"), "web-1");
  EXPECT_EQ(id_in_cgroups("0::/lxc.payload.web.example\n"), "web.example");
  EXPECT_EQ(id_in_cgroups("5:cpu:/\n0::/web"), "web");
}

TEST(CgroupId, IsNotThatOfAServiceOrASession) {
  for (const char* const text :
       {"", "0::/\n", "0::/system.slice/cron.service\n", "0::/init.scope\n",
        "0::/user.slice/user-0.slice/session-3.scope\n", "no cgroup\n"}) {
    EXPECT_EQ(id_in_cgroups(text), "") << text;
  }
}

}  // namespace
}  // namespace berth::engine
