// SPDX-License-Identifier: Apache-2.0
#include "spec/read_spec.h"

#include <gtest/gtest.h>

#include "examples.h"
#include "json/write.h"

namespace berth::spec {
namespace {

Spec full_spec() {
  auto spec = read_spec(full_config());
  EXPECT_TRUE(spec.has_value()) << (spec ? "" : spec.error().message());
  return spec ? std::move(*spec) : Spec{};
}

TEST(ReadSpec, ReadsTheProcess) {
  const Spec spec = full_spec();
  ASSERT_TRUE(spec.process.has_value());
  const Process& process = *spec.process;
  EXPECT_TRUE(process.terminal);
  EXPECT_EQ(process.console_size, (ConsoleSize{.height = 25, .width = 80}));
  EXPECT_EQ(process.user, (User{1000, 100, 18, {5, 6}, "web"}));
  EXPECT_EQ(process.args, (std::vector<std::string>{"/bin/sh", "-c", "id"}));
  EXPECT_EQ(process.cwd, "/home/web");
  EXPECT_EQ(process.capabilities->permitted, (std::vector<std::string>{"CAP_KILL", "CAP_CHOWN"}));
  EXPECT_EQ(process.rlimits[1], (Rlimit{.type = "RLIMIT_CORE", .soft = 0, .hard = UINT64_MAX}));
  EXPECT_TRUE(process.no_new_privileges);
  EXPECT_EQ(process.oom_score_adj, -500);
  EXPECT_EQ(process.scheduler->period, 10000000U);
  EXPECT_EQ(process.io_priority, (IoPriority{"IOPRIO_CLASS_BE", 4}));
  EXPECT_EQ(process.exec_cpu_affinity, (ExecCpuAffinity{"0-1", "1,3"}));
}

TEST(ReadSpec, ReadsTheTopLevel) {
  const Spec spec = full_spec();
  EXPECT_EQ(spec.root, (Root{.path = "rootfs", .readonly = true}));
  EXPECT_EQ(spec.domainname, "example.test");
  EXPECT_EQ(spec.mounts[1].options, (std::vector<std::string>{"rbind", "idmap", "rro"}));
  EXPECT_EQ(spec.mounts[1].gid_mappings->at(1),
            (IdMapping{.container_id = 10, .host_id = 50, .size = 1}));
  EXPECT_FALSE(spec.mounts[0].uid_mappings.has_value());
  EXPECT_EQ(spec.hooks.prestart[0].timeout, 5);
  EXPECT_TRUE(spec.hooks.create_container[0].env.has_value());
  EXPECT_FALSE(spec.hooks.create_runtime[0].env.has_value());
  EXPECT_EQ(spec.annotations, (StringMap{{"com.example.key", "value"}, {"com.example.empty", ""}}));
}

TEST(ReadSpec, ReadsLinux) {
  const Linux linux_part = full_spec().platform;
  EXPECT_EQ(linux_part.namespaces[1], (Namespace{NamespaceType::Network, "/run/netns/full"}));
  EXPECT_EQ(linux_part.namespaces.size(), size_t{kNamespaceTypes});
  EXPECT_EQ(linux_part.time_offsets[0], (TimeOffset{"monotonic", 172800, 5}));
  EXPECT_EQ(linux_part.time_offsets[1], (TimeOffset{"boottime", -60, 0}));
  EXPECT_EQ(linux_part.net_devices,
            (std::vector<NetDevice>{{"eth1", "container_eth1"}, {"eth2", ""}}));
  EXPECT_EQ(linux_part.devices[0].file_mode, 0666U);
  EXPECT_EQ(linux_part.devices[2].type, 'p');
  EXPECT_EQ(linux_part.seccomp->default_action, SeccompAction::Errno);
  EXPECT_EQ(linux_part.seccomp->rules[1].args[0].value, UINT64_MAX);
  EXPECT_EQ(linux_part.seccomp->rules[1].args[1].op, SeccompOperator::MaskedEqual);
  EXPECT_EQ(linux_part.seccomp->rules[3].errno_ret, 1U);
  EXPECT_EQ(linux_part.memory_policy->nodes, "0-1");
  EXPECT_EQ(linux_part.personality->domain, "LINUX32");
}

TEST(ReadSpec, ReadsResources) {
  const Resources resources = full_spec().platform.resources.value();
  EXPECT_EQ(resources.devices[0], (DeviceRule{.allow = false, .access = "rwm"}));
  EXPECT_EQ(resources.devices[2].type, 'b');
  EXPECT_FALSE(resources.devices[2].minor.has_value());
  EXPECT_EQ(resources.pids_limit, 100);
  EXPECT_EQ(resources.memory->disable_oom_killer, false);
  EXPECT_EQ(resources.cpu->idle, 0);
  EXPECT_EQ(resources.block_io->throttle_write_iops[0].rate, 200U);
  EXPECT_EQ(resources.hugepage_limits[0].limit, 9223372036854775808U);
  EXPECT_EQ(resources.rdma[1], (RdmaLimit{.device = "mlx4_0", .hca_objects = 1000}));
  EXPECT_EQ(resources.unified[0].first, "memory.high");
}

TEST(ReadSpec, WritesEverythingBack) {
  const Spec spec = full_spec();
  for (const int indent : {0, 4, json::kTab}) {
    const std::string text = write_spec(spec, indent);
    const auto again = read_spec(text);
    ASSERT_TRUE(again.has_value()) << again.error().message();
    EXPECT_TRUE(*again == spec) << text;
  }
  const auto process = read_process(write_process(*spec.process, 0));
  ASSERT_TRUE(process.has_value());
  EXPECT_EQ(*process, *spec.process);
  const auto resources = read_resources(write_resources(*spec.platform.resources, 0));
  ASSERT_TRUE(resources.has_value());
  EXPECT_EQ(*resources, *spec.platform.resources);
}

struct Refusal {
  const char* text;
  const char* message;
};

TEST(ReadSpec, SaysWhereAndWhat) {
  for (const auto& [text, message] : {
           Refusal{"{\n  \"ociVersion\": 1}",
                   "expected string, found number (config.json:2:17 /ociVersion)"},
           Refusal{"{}", "required, but missing (config.json:1:1 /ociVersion)"},
           Refusal{R"({"ociVersion":"1.3.0","process":{}})",
                   "required, but missing (config.json:1:33 /process/cwd)"},
           Refusal{R"({"ociVersion":"1.3.0","root":null})",
                   "expected object, found null (config.json:1:30 /root)"},
           Refusal{R"({"ociVersion":"1.3.0","mounts":[{"destination":"/","options":["ro",true]}]})",
                   "expected string, found boolean (config.json:1:68 /mounts/0/options/1)"},
           Refusal{R"({"ociVersion":"1.3.0","annotations":{"a/b~":[]}})",
                   "expected string, found array (config.json:1:45 /annotations/a~1b~0)"},
           Refusal{
               R"({"ociVersion":"1.3.0","Process":{}})",
               "unknown member \"Process\": did you mean \"process\"? (config.json:1:33 /Process)"},
           Refusal{R"({"ociVersion":"1.3.0","linux":{"resources":{"pids":{}}}})",
                   "required, but missing (config.json:1:52 /linux/resources/pids/limit)"},
           Refusal{R"({"ociVersion":"1.3.0","linux":{"namespaces":[{"type":"net"}]}})",
                   "unknown value \"net\" (config.json:1:54 /linux/namespaces/0/type)"},
           Refusal{R"({"ociVersion":"1.3.0","linux":{"devices":[{"path":"/x","type":"x"}]}})",
                   "unknown value \"x\" (config.json:1:63 /linux/devices/0/type)"},
           Refusal{"{\n\"a\":1,}", "parse config.json: 2:7: not JSON"},
       }) {
    const auto spec = read_spec(text);
    ASSERT_FALSE(spec.has_value()) << text;
    EXPECT_EQ(spec.error().kind(), ErrorKind::InvalidConfig);
    EXPECT_TRUE(spec.error().message().starts_with(message)) << spec.error().message();
  }
}

TEST(ReadSpec, TakesOnlyIntegersInRange) {
  for (const char* uid : {"-1", "4294967296", "18446744073709551616", "1.0", "1e2", "1.5", "\"0\"",
                          "null", "true", "1e30", "[]"}) {
    const std::string text =
        R"({"ociVersion":"1.3.0","process":{"cwd":"/","user":{"uid":)" + std::string(uid) + "}}}";
    const auto spec = read_spec(text);
    ASSERT_FALSE(spec.has_value()) << uid;
    EXPECT_EQ(spec.error().pointer(), "/process/user/uid");
  }
}

TEST(ReadSpec, IgnoresUnknownMembersAndOtherPlatforms) {
  const char* text =
      R"({"ociVersion":"1.3.0","x":1,"windows":{"a":null},"process":{"cwd":"/","commandLine":"x","y~/":{}}})";
  const auto spec = read_spec(text);
  ASSERT_TRUE(spec.has_value()) << spec.error().message();
  const Reading reading = read_for_lint(text);
  ASSERT_EQ(reading.unknown.size(), 2U);
  EXPECT_EQ(reading.unknown[0].pointer, "/x");
  EXPECT_EQ(reading.unknown[1].pointer, "/process/y~0~1");
  EXPECT_TRUE(read_for_lint(full_config()).unknown.empty());
}

TEST(ReadSpec, ForLintGoesOnAfterAnUnknownMember) {
  const Reading reading = read_for_lint(
      R"({"ociversion":"1.3.0","root":{"path":"r"},"hostnane":"a","process":{"cwd":"/"}})");
  ASSERT_EQ(reading.unknown.size(), 2U);
  EXPECT_EQ(reading.unknown[0].nearest, "ociVersion");
  EXPECT_TRUE(reading.unknown[0].differs_in_case_only);
  EXPECT_EQ(reading.unknown[1].nearest, "hostname");
  EXPECT_FALSE(reading.unknown[1].differs_in_case_only);
  ASSERT_TRUE(reading.error.has_value());
  EXPECT_EQ(reading.error->pointer(), "/ociVersion");
  EXPECT_EQ(reading.spec.root->path, "r");
  EXPECT_TRUE(read_for_lint("{").error->message().contains("1:2"));
}

TEST(ReadSpec, RefusesNulEverywhere) {
  EXPECT_FALSE(read_spec(R"({"ociVersion":"1.3.0","hostname":"a\u0000b"})"));
  EXPECT_FALSE(read_spec(R"({"ociVersion":"1.3.0","annotations":{"a\u0000":"b"}})"));
}

TEST(ReadAnnotations, ReadsNothingElse) {
  const auto annotations =
      read_annotations(R"({"ociVersion":7,"annotations":{"b/c":"\u0032","a":""}})");
  ASSERT_TRUE(annotations);
  EXPECT_EQ(*annotations, (StringMap{{"b/c", "2"}, {"a", ""}}));
  EXPECT_TRUE(read_annotations("{}")->empty());
  for (const char* text : {"", "{\"annotations\":{\"a\":", "{\"annotations\":7}"})
    EXPECT_FALSE(read_annotations(text)) << text;
}

TEST(ReadSpec, KeepsOnlyAnnotationsWithEffectWhenTold) {
  constexpr std::string_view kText =
      R"({"ociVersion":"1.3.0","annotations":{"a":"1","run.berth.ksm":"on","run.berth.other":"2",)"
      R"("org.systemd.property.X":"3","run.oci.seccomp_bpf_data":"4","run.oci.other":"5"}})";
  const auto spec = read_spec(kText, Detail::Effects);
  ASSERT_TRUE(spec) << spec.error().message();
  EXPECT_EQ(spec->annotations, (StringMap{{"run.berth.ksm", "on"},
                                          {"run.berth.other", "2"},
                                          {"org.systemd.property.X", "3"},
                                          {"run.oci.seccomp_bpf_data", "4"}}));
  EXPECT_TRUE(spec->has_more_annotations);
  EXPECT_EQ(read_spec(kText)->annotations.size(), 6U);
  EXPECT_FALSE(read_spec(kText)->has_more_annotations);
  for (const char* bad : {R"("annotations":{"a":1})", R"("annotations":[])"}) {
    const std::string text = std::string(R"({"ociVersion":"1.3.0",)") + bad + "}";
    EXPECT_EQ(read_spec(text, Detail::Effects).error().message(),
              read_spec(text).error().message());
  }
  EXPECT_EQ(read_spec(R"({"ociVersion":"1.3.0","annotations":{"":"x"}})", Detail::Effects)
                ->annotations.size(),
            1U)
      << "for validate to refuse";
}

}  // namespace
}  // namespace berth::spec
