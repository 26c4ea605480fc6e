// SPDX-License-Identifier: Apache-2.0
#include "spec/features.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "berth/oci.h"
#include "json/write.h"
#include "spec/fields.h"
#include "spec/mount_options.h"
#include "spec/seccomp_names.h"

namespace berth::spec {
namespace {

using Texts = std::span<const std::string_view>;

constexpr std::string_view kHooks[] = {"prestart",       "createRuntime", "createContainer",
                                       "startContainer", "poststart",     "poststop"};
// In the kernel's order.
constexpr std::string_view kCapabilities[] = {"CAP_CHOWN",
                                              "CAP_DAC_OVERRIDE",
                                              "CAP_DAC_READ_SEARCH",
                                              "CAP_FOWNER",
                                              "CAP_FSETID",
                                              "CAP_KILL",
                                              "CAP_SETGID",
                                              "CAP_SETUID",
                                              "CAP_SETPCAP",
                                              "CAP_LINUX_IMMUTABLE",
                                              "CAP_NET_BIND_SERVICE",
                                              "CAP_NET_BROADCAST",
                                              "CAP_NET_ADMIN",
                                              "CAP_NET_RAW",
                                              "CAP_IPC_LOCK",
                                              "CAP_IPC_OWNER",
                                              "CAP_SYS_MODULE",
                                              "CAP_SYS_RAWIO",
                                              "CAP_SYS_CHROOT",
                                              "CAP_SYS_PTRACE",
                                              "CAP_SYS_PACCT",
                                              "CAP_SYS_ADMIN",
                                              "CAP_SYS_BOOT",
                                              "CAP_SYS_NICE",
                                              "CAP_SYS_RESOURCE",
                                              "CAP_SYS_TIME",
                                              "CAP_SYS_TTY_CONFIG",
                                              "CAP_MKNOD",
                                              "CAP_LEASE",
                                              "CAP_AUDIT_WRITE",
                                              "CAP_AUDIT_CONTROL",
                                              "CAP_SETFCAP",
                                              "CAP_MAC_OVERRIDE",
                                              "CAP_MAC_ADMIN",
                                              "CAP_SYSLOG",
                                              "CAP_WAKE_ALARM",
                                              "CAP_BLOCK_SUSPEND",
                                              "CAP_AUDIT_READ",
                                              "CAP_PERFMON",
                                              "CAP_BPF",
                                              "CAP_CHECKPOINT_RESTORE"};
constexpr std::string_view kMemoryModes[] = {
    "MPOL_BIND",      "MPOL_DEFAULT",        "MPOL_INTERLEAVE",         "MPOL_LOCAL",
    "MPOL_PREFERRED", "MPOL_PREFERRED_MANY", "MPOL_WEIGHTED_INTERLEAVE"};
constexpr std::string_view kMemoryFlags[] = {"MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES",
                                             "MPOL_F_STATIC_NODES"};
// Annotations that make the runtime do something: an engine must not let its users set them.
constexpr std::string_view kUnsafeAnnotations[] = {"bundle", "org.systemd.property.",
                                                   "org.criu.config", kFilterAnnotation};

void write_list(json::Writer& writer, std::string_view key, Texts texts) {
  writer.key(key).begin_array();
  for (const std::string_view text : texts) writer.string(text);
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

void write_seccomp(json::Writer& writer) {
  writer.key("seccomp").begin_object().member("enabled", true);
  write_names(writer, "actions", names(static_cast<const SeccompAction*>(nullptr)));
  write_names(writer, "operators", names(static_cast<const SeccompOperator*>(nullptr)));
  write_list(writer, "archs", seccomp_architectures());
  write_list(writer, "knownFlags", seccomp_flags());
  write_list(writer, "supportedFlags", seccomp_flags());
  writer.end();
}

void write_linux(json::Writer& writer) {
  writer.key("linux").begin_object();
  write_names(writer, "namespaces", names(static_cast<const NamespaceType*>(nullptr)));
  write_list(writer, "capabilities", kCapabilities);
  writer.key("cgroup").begin_object();
  for (const char* kind : {"v1", "v2", "systemd", "systemdUser", "rdma"}) writer.member(kind, true);
  writer.end();
  write_seccomp(writer);
  write_enabled(writer, "apparmor");
  write_enabled(writer, "selinux");
  writer.key("intelRdt").begin_object();
  for (const char* part : {"enabled", "schemata", "monitoring"}) writer.member(part, true);
  writer.end();
  writer.key("memoryPolicy").begin_object();
  write_list(writer, "modes", kMemoryModes);
  write_list(writer, "flags", kMemoryFlags);
  writer.end();
  writer.key("mountExtensions").begin_object();
  write_enabled(writer, "idmap");
  writer.end();
  write_enabled(writer, "netDevices");
  writer.end();
}

}  // namespace

std::string features_json() {
  json::Writer writer(4);
  writer.begin_object().member("ociVersionMin", "1.0.0").member("ociVersionMax", kSpecVersion);
  write_list(writer, "hooks", kHooks);
  write_mount_options(writer);
  write_linux(writer);
  writer.key("annotations").begin_object().member("io.berth.version", BERTH_VERSION).end();
  write_list(writer, "potentiallyUnsafeConfigAnnotations", kUnsafeAnnotations);
  return writer.end().take();
}

}  // namespace berth::spec
