// SPDX-License-Identifier: Apache-2.0
// The documents that programs read from us: the template, features, state.
#include <gtest/gtest.h>

#include <algorithm>

#include "berth/oci.h"
#include "json/value.h"
#include "json/write.h"
#include "spec/annotations.h"
#include "spec/features.h"
#include "spec/memory_policy_names.h"
#include "spec/mount_options.h"
#include "spec/read_spec.h"
#include "spec/seccomp_names.h"
#include "spec/state.h"

namespace berth::spec {
namespace {

const json::Value& at(const json::Value& value, std::initializer_list<std::string_view> names) {
  static const json::Value kNothing;
  const json::Value* here = &value;
  for (const auto name : names) {
    here = here->find(name);
    if (here == nullptr) return kNothing;
  }
  return *here;
}

bool lists(const json::Value& array, std::string_view text) {
  return std::ranges::any_of(array.array(),
                             [text](const json::Value& each) { return each.string() == text; });
}

TEST(DefaultSpec, IsTheUsualTemplate) {
  const Spec spec = default_spec(false);
  EXPECT_EQ(spec.oci_version, kSpecVersion);
  EXPECT_TRUE(spec.process->terminal);
  EXPECT_EQ(spec.process->args, std::vector<std::string>{"sh"});
  EXPECT_TRUE(spec.process->no_new_privileges);
  EXPECT_TRUE(spec.process->capabilities->inheritable.empty());
  EXPECT_TRUE(spec.process->capabilities->ambient.empty());
  EXPECT_EQ(spec.mounts.size(), 7U);
  EXPECT_EQ(spec.platform.namespaces.size(), 5U);
  EXPECT_EQ(default_spec(false, true).platform.namespaces.size(), 6U);
  const std::string text = write_spec(spec, json::kTab);
  EXPECT_TRUE(text.starts_with(
      "{\n\t\"ociVersion\": \"1.3.0\",\n\t\"process\": {\n\t\t\"terminal\": true,\n"))
      << text;
  EXPECT_TRUE(text.contains(
      "\"resources\": {\n\t\t\t\"devices\": [\n\t\t\t\t{\n\t\t\t\t\t\"allow\": false,\n"));
  EXPECT_EQ(read_valid_spec(text).value(), spec);
}

TEST(DefaultSpec, RootlessNeedsNoPrivilege) {
  const Spec spec = default_spec(true);
  const auto has = [&spec](NamespaceType type) {
    return std::ranges::count(spec.platform.namespaces, type, &Namespace::type);
  };
  EXPECT_EQ(has(NamespaceType::User), 1);
  EXPECT_EQ(has(NamespaceType::Network), 0);
  EXPECT_FALSE(spec.platform.resources.has_value());
  EXPECT_EQ(spec.platform.uid_mappings.size(), 1U);
  EXPECT_EQ(spec.mounts[5].source, "/sys");
  for (const Mount& mount : spec.mounts) EXPECT_EQ(std::ranges::count(mount.options, "gid=5"), 0);
}

constexpr std::string_view kSupported[] = {"SECCOMP_FILTER_FLAG_LOG"};

TEST(Features, SayWhatEnginesLookFor) {
  const std::string text = features_json(kSupported);
  const auto document = json::parse(text);
  ASSERT_TRUE(document.has_value());
  const json::Value& root = document->root();
  EXPECT_EQ(at(root, {"ociVersionMin"}).string(), "1.0.0");
  EXPECT_EQ(at(root, {"ociVersionMax"}).string(), "1.3.0");
  EXPECT_EQ(at(root, {"hooks"}).array().size(), 6U);
  EXPECT_TRUE(lists(at(root, {"mountOptions"}), "rro"));
  EXPECT_TRUE(lists(at(root, {"linux", "namespaces"}), "user"));
  EXPECT_EQ(at(root, {"linux", "namespaces"}).array().size(), size_t{kNamespaceTypes});
  EXPECT_EQ(at(root, {"linux", "capabilities"}).array().size(), 41U);
  EXPECT_EQ(at(root, {"linux", "seccomp", "actions"}).array().size(), 9U);
  EXPECT_EQ(at(root, {"linux", "seccomp", "archs"}).array().size(), 23U);
  EXPECT_TRUE(at(root, {"linux", "mountExtensions", "idmap", "enabled"}).boolean);
  EXPECT_EQ(at(root, {"annotations", "io.berth.version"}).string(), BERTH_VERSION);
  EXPECT_TRUE(
      features_json({}).starts_with("{\n    \"ociVersionMin\": \"1.0.0\",\n    \"ociVersionMax\""));
}

size_t count(const json::Value& array) { return array.array().size(); }

// Each list is as long as the table that config.json is read by.
TEST(Features, AreTheTablesOfTheDecoder) {
  const std::string text = features_json(kSupported);
  const auto document = json::parse(text);
  ASSERT_TRUE(document.has_value());
  const json::Value* platform = document->root().find("linux");
  ASSERT_NE(platform, nullptr);
  EXPECT_EQ(count(at(document->root(), {"mountOptions"})), mount_options().size());
  EXPECT_EQ(count(at(*platform, {"seccomp", "operators"})), 7U);
  EXPECT_EQ(count(at(*platform, {"seccomp", "knownFlags"})), seccomp_flags().size());
  EXPECT_EQ(count(at(*platform, {"seccomp", "supportedFlags"})), 1U);
  EXPECT_EQ(count(at(*platform, {"memoryPolicy", "modes"})), std::size(kMemoryModes));
  EXPECT_TRUE(lists(at(*platform, {"memoryPolicy", "flags"}), "MPOL_F_STATIC_NODES"));
  EXPECT_EQ(count(at(document->root(), {"potentiallyUnsafeConfigAnnotations"})),
            annotations_with_effect().size());
  EXPECT_TRUE(at(*platform, {"cgroup", "systemd"}).boolean);
  for (const char* part : {"enabled", "schemata", "monitoring"})
    EXPECT_TRUE(at(*platform, {"intelRdt", part}).boolean) << part;
  EXPECT_TRUE(at(*platform, {"netDevices", "enabled"}).boolean);
}

State web() {
  return {.oci_version = "1.3.0",
          .id = "web",
          .pid = 12,
          .status = "running",
          .bundle = "/b/<web>",
          .rootfs = "/b/rootfs",
          .created = "2026-01-02T03:04:05.000000006Z",
          .annotations = {{"b", "2"}, {"a", "1"}},
          .owner = "root"};
}

TEST(State, IsWrittenAsProgramsExpectIt) {
  EXPECT_EQ(state_json(web()), R"({
  "ociVersion": "1.3.0",
  "id": "web",
  "pid": 12,
  "status": "running",
  "bundle": "/b/<web>",
  "rootfs": "/b/rootfs",
  "created": "2026-01-02T03:04:05.000000006Z",
  "annotations": {
    "a": "1",
    "b": "2"
  },
  "owner": "root"
})");
}

TEST(State, GoesToHooksInOneLine) {
  State state = web();
  EXPECT_EQ(
      hook_state_json(state),
      R"({"ociVersion":"1.3.0","id":"web","status":"running","pid":12,"root":"/b/rootfs","bundle":"/b/<web>",)"
      R"("annotations":{"a":"1","b":"2"}})");
  state.annotations.clear();
  EXPECT_EQ(
      seccomp_state_json(state, 99, "m"),
      R"({"ociVersion":"1.3.0","fds":["seccompFd"],"pid":99,"metadata":"m","state":{"ociVersion":"1.3.0","id":"web",)"
      R"("status":"running","pid":12,"root":"/b/rootfs","bundle":"/b/<web>"}})");
}

}  // namespace
}  // namespace berth::spec
