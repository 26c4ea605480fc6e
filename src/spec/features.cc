// SPDX-License-Identifier: Apache-2.0
#include "spec/features.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "berth/oci.h"
#include "json/write.h"
#include "spec/annotations.h"
#include "spec/capability_names.h"
#include "spec/fields.h"
#include "spec/memory_policy_names.h"
#include "spec/mount_options.h"
#include "spec/seccomp_names.h"

namespace berth::spec {
namespace {

using Texts = std::span<const std::string_view>;

void write_list(json::Writer& writer, std::string_view key, Texts texts) {
  writer.key(key).begin_array();
  for (const std::string_view text : texts) writer.string(text);
  writer.end();
}

void write_hooks(json::Writer& writer) {
  writer.key("hooks").begin_array();
  for (const json::Field& field : fields(static_cast<const Hooks*>(nullptr)))
    writer.string(field.name);
  writer.end();
}

void write_names(json::Writer& writer, std::string_view key, std::span<const json::Name> names) {
  std::vector<std::string_view> texts;
  for (const json::Name& name : names) texts.push_back(name.text);
  std::ranges::sort(texts);
  write_list(writer, key, texts);
}

void write_mount_options(json::Writer& writer) {
  writer.key("mountOptions").begin_array();
  for (const MountOption& option : mount_options()) writer.string(option.name);
  writer.end();
}

void write_enabled(json::Writer& writer, std::string_view key) {
  writer.key(key).begin_object().member("enabled", true).end();
}

void write_seccomp(json::Writer& writer, Texts supported_flags) {
  writer.key("seccomp").begin_object().member("enabled", true);
  write_names(writer, "actions", names(static_cast<const SeccompAction*>(nullptr)));
  write_names(writer, "operators", names(static_cast<const SeccompOperator*>(nullptr)));
  write_list(writer, "archs", seccomp_architectures());
  write_names(writer, "knownFlags", seccomp_flags());
  write_list(writer, "supportedFlags", supported_flags);
  writer.end();
}

void write_linux(json::Writer& writer, Texts supported_flags) {
  writer.key("linux").begin_object();
  write_names(writer, "namespaces", names(static_cast<const NamespaceType*>(nullptr)));
  write_list(writer, "capabilities", kCapabilityNames);
  writer.key("cgroup").begin_object();
  for (const char* part : {"v1", "v2", "systemd", "systemdUser", "rdma"}) writer.member(part, true);
  writer.end();
  write_seccomp(writer, supported_flags);
  write_enabled(writer, "apparmor");
  write_enabled(writer, "selinux");
  writer.key("intelRdt").begin_object();
  for (const char* part : {"enabled", "schemata", "monitoring"}) writer.member(part, true);
  writer.end();
  writer.key("memoryPolicy").begin_object();
  write_names(writer, "modes", kMemoryModes);
  write_names(writer, "flags", kMemoryFlags);
  writer.end();
  writer.key("mountExtensions").begin_object();
  write_enabled(writer, "idmap");
  writer.end();
  write_enabled(writer, "netDevices");
  writer.end();
}

}  // namespace

std::string features_json(std::span<const std::string_view> supported_seccomp_flags) {
  json::Writer writer(4);
  writer.begin_object().member("ociVersionMin", "1.0.0").member("ociVersionMax", kSpecVersion);
  write_hooks(writer);
  write_mount_options(writer);
  write_linux(writer, supported_seccomp_flags);
  writer.key("annotations").begin_object().member("io.berth.version", BERTH_VERSION).end();
  write_list(writer, "potentiallyUnsafeConfigAnnotations", annotations_with_effect());
  return writer.end().take();
}

}  // namespace berth::spec
