// SPDX-License-Identifier: Apache-2.0
// The template that `spec` of this field's runtimes prints: facts that users' scripts edit, so kept
// the same.
#include <unistd.h>

#include "berth/oci.h"
#include "spec/read_spec.h"

namespace berth::spec {
namespace {

std::vector<Mount> default_mounts(bool rootless) {
  Mount terminals{
      .destination = "/dev/pts",
      .type = "devpts",
      .source = "devpts",
      .options = {"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"}};
  Mount sys{.destination = "/sys",
            .type = "sysfs",
            .source = "sysfs",
            .options = {"nosuid", "noexec", "nodev", "ro"}};
  if (rootless) {
    // Group 5 is not mapped, and a new sysfs needs an own network namespace.
    terminals.options.pop_back();
    sys.type = "none";
    sys.source = "/sys";
    sys.options = {"rbind", "nosuid", "noexec", "nodev", "ro"};
  }
  return {
      {.destination = "/proc", .type = "proc", .source = "proc"},
      {.destination = "/dev",
       .type = "tmpfs",
       .source = "tmpfs",
       .options = {"nosuid", "strictatime", "mode=755", "size=65536k"}},
      std::move(terminals),
      {.destination = "/dev/shm",
       .type = "tmpfs",
       .source = "shm",
       .options = {"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
      {.destination = "/dev/mqueue",
       .type = "mqueue",
       .source = "mqueue",
       .options = {"nosuid", "noexec", "nodev"}},
      std::move(sys),
      {.destination = "/sys/fs/cgroup",
       .type = "cgroup",
       .source = "cgroup",
       .options = {"nosuid", "noexec", "nodev", "relatime", "ro"}},
  };
}

Process default_process() {
  const std::vector<std::string> kept = {"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"};
  return {
      .terminal = true,
      .cwd = "/",
      .env = {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"},
      .args = {"sh"},
      .capabilities = Capabilities{.bounding = kept, .effective = kept, .permitted = kept},
      .rlimits = {{.type = "RLIMIT_NOFILE", .soft = 1024, .hard = 1024}},
      .no_new_privileges = true,
  };
}

Linux default_linux() {
  Linux platform{
      .namespaces = {{NamespaceType::Pid},
                     {NamespaceType::Network},
                     {NamespaceType::Ipc},
                     {NamespaceType::Uts},
                     {NamespaceType::Mount}},
      .masked_paths = {"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                       "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                       "/proc/sched_debug", "/sys/firmware", "/proc/scsi"},
      .readonly_paths = {"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"},
  };
  platform.resources = Resources{.devices = {{.allow = false, .access = "rwm"}}};
  return platform;
}

}  // namespace

Spec default_spec(bool rootless, bool cgroup_namespace) {
  Spec spec{
      .oci_version = kSpecVersion,
      .process = default_process(),
      .root = Root{.path = "rootfs", .readonly = true},
      .hostname = "berth",
      .mounts = default_mounts(rootless),
      .platform = default_linux(),
  };
  auto& namespaces = spec.platform.namespaces;
  if (cgroup_namespace) namespaces.push_back({.type = NamespaceType::Cgroup});
  if (!rootless) return spec;
  std::erase_if(namespaces,
                [](const Namespace& each) { return each.type == NamespaceType::Network; });
  namespaces.push_back({.type = NamespaceType::User});
  spec.platform.uid_mappings = {{.container_id = 0, .host_id = geteuid(), .size = 1}};
  spec.platform.gid_mappings = {{.container_id = 0, .host_id = getegid(), .size = 1}};
  spec.platform.resources.reset();
  return spec;
}

}  // namespace berth::spec
