// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "plan/lint_rules.h"
#include "spec/capability_names.h"
#include "spec/paths.h"
#include "spec/validate.h"

// What of a config opens the host to the container.
namespace berth::plan {
namespace {

using spec::NamespaceType;

constexpr NamespaceType kIsolating[] = {NamespaceType::Pid, NamespaceType::Network,
                                        NamespaceType::Ipc, NamespaceType::Mount};
constexpr std::string_view kIsolatingNames[] = {"pid", "network", "ipc", "mount"};
// With one of them in the host's user namespace, a program can become root of the host.
constexpr std::string_view kStrong[] = {
    "CAP_SYS_ADMIN", "CAP_SYS_MODULE",      "CAP_SYS_RAWIO", "CAP_SYS_PTRACE",   "CAP_SYS_BOOT",
    "CAP_BPF",       "CAP_DAC_READ_SEARCH", "CAP_MAC_ADMIN", "CAP_MAC_OVERRIDE", "CAP_PERFMON"};
constexpr std::string_view kSockets[] = {"docker.sock", "containerd.sock", "podman.sock",
                                         "crio.sock"};
// Read-only they still hold sockets, devices or secrets.
constexpr std::string_view kOpenAlways[] = {"/", "/dev", "/proc", "/root", "/run", "/var/run"};
constexpr std::string_view kOpenWritable[] = {"/bin",  "/boot", "/etc", "/lib", "/lib64",
                                              "/sbin", "/sys",  "/usr", "/var", "/var/lib"};
constexpr std::string_view kSharing[] = {"shared", "rshared"};

bool is_one_of(std::string_view text, std::span<const std::string_view> list) {
  return std::ranges::find(list, text) != list.end();
}

bool has_any(const std::vector<std::string>& words, std::span<const std::string_view> list) {
  return std::ranges::any_of(words, [&](const auto& word) { return is_one_of(word, list); });
}

bool is_readonly(const spec::Mount& mount) {
  constexpr std::string_view kWords[] = {"ro", "rro"};
  return has_any(mount.options, kWords);
}

bool has_user_namespace(const LintSource& source) {
  return find_namespace(source.spec.platform, NamespaceType::User) != nullptr;
}

const std::vector<std::string>* bounding(const LintSource& source) {
  const auto& process = source.spec.process;
  return process && process->capabilities ? &process->capabilities->bounding : nullptr;
}

bool has_all_capabilities(const LintSource& source) {
  const std::vector<std::string>* names = bounding(source);
  const auto last = static_cast<size_t>(source.facts.host.last_capability);
  for (size_t i = 0; names != nullptr && i <= last && i < spec::kCapabilityNames.size(); ++i) {
    if (std::ranges::find(*names, spec::kCapabilityNames[i]) == names->end()) return false;
  }
  return names != nullptr;
}

// The index of the writable /proc of a container without a user namespace, or -1.
int open_proc(const LintSource& source) {
  if (has_user_namespace(source)) return -1;
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    const spec::Mount& mount = source.spec.mounts[i];
    if (mount.type == "proc" && !is_readonly(mount) &&
        spec::cleaned_path(mount.destination) == "/proc")
      return static_cast<int>(i);
  }
  return -1;
}

bool lists(const std::vector<std::string>& paths, std::string_view path) {
  return std::ranges::any_of(paths,
                             [&](const auto& each) { return spec::cleaned_path(each) == path; });
}

bool allows_all(const DeviceRule& rule) {
  const bool any_type = !rule.type || *rule.type == 'a';
  return rule.allow && any_type && !rule.major && !rule.minor &&
         (rule.access.empty() || rule.access.contains('w'));
}

}  // namespace

void find_host_namespaces(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < std::size(kIsolating); ++i) {
    if (find_namespace(source.spec.platform, kIsolating[i]) != nullptr) continue;
    report(findings, "/linux/namespaces", "the container shares the host's {} namespace",
           kIsolatingNames[i]);
  }
}

void find_all_capabilities(const LintSource& source, LintFindings& findings) {
  if (has_user_namespace(source) || !has_all_capabilities(source)) return;
  report(findings, "/process/capabilities/bounding",
         "every capability is given: the program can do what root of the host can");
}

void find_strong_capabilities(const LintSource& source, LintFindings& findings) {
  const std::vector<std::string>* names = bounding(source);
  if (names == nullptr || has_user_namespace(source) || has_all_capabilities(source)) return;
  for (size_t i = 0; i < names->size(); ++i) {
    if (!is_one_of((*names)[i], kStrong)) continue;
    report(findings, formatted("/process/capabilities/bounding/{}", i),
           "with {} and no user namespace a program can take over the host", (*names)[i]);
  }
}

void find_no_seccomp(const LintSource& source, LintFindings& findings) {
  if (source.spec.platform.seccomp) return;
  report(findings, "/linux", "there is no seccomp profile: every system call is allowed");
}

void find_open_seccomp(const LintSource& source, LintFindings& findings) {
  const auto& seccomp = source.spec.platform.seccomp;
  const bool open = seccomp && seccomp->default_action == spec::SeccompAction::Allow;
  if (!open || !seccomp->rules.empty()) return;
  report(findings, "/linux/seccomp/defaultAction", "the profile allows every system call");
}

void find_new_privileges(const LintSource& source, LintFindings& findings) {
  if (!source.spec.process || source.spec.process->no_new_privileges) return;
  report(findings, "/process",
         "noNewPrivileges is not set: a set-uid program of the image can gain privileges");
}

void find_writable_proc_sys(const LintSource& source, LintFindings& findings) {
  const int proc = open_proc(source);
  const spec::Linux& platform = source.spec.platform;
  const bool closed =
      lists(platform.readonly_paths, "/proc/sys") || lists(platform.masked_paths, "/proc/sys");
  if (proc < 0 || closed) return;
  report(findings, formatted("/mounts/{}", proc),
         "/proc/sys is writable: add it to /linux/readonlyPaths");
}

void find_unmasked_proc(const LintSource& source, LintFindings& findings) {
  const int proc = open_proc(source);
  if (proc < 0) return;
  const spec::Linux& platform = source.spec.platform;
  if (!lists(platform.masked_paths, "/proc/kcore")) {
    report(findings, formatted("/mounts/{}", proc),
           "/proc/kcore shows the kernel's memory: add it to /linux/maskedPaths");
  }
  if (!lists(platform.readonly_paths, "/proc/sysrq-trigger") &&
      !lists(platform.masked_paths, "/proc/sysrq-trigger")) {
    report(findings, formatted("/mounts/{}", proc),
           "/proc/sysrq-trigger can end the host: add it to /linux/readonlyPaths");
  }
}

void find_engine_sockets(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    const std::string& path = source.spec.mounts[i].source;
    if (!is_bind(source.spec.mounts[i])) continue;
    if (!is_one_of(std::string_view(path).substr(path.rfind('/') + 1), kSockets)) continue;
    report(findings, formatted("/mounts/{}/source", i), "who can write to {} is root of the host",
           path);
  }
}

void find_host_paths(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    const spec::Mount& mount = source.spec.mounts[i];
    if (!is_bind(mount) || !mount.source.starts_with('/')) continue;
    const std::string path = spec::cleaned_path(mount.source);
    const bool writable = !is_readonly(mount);
    if (!is_one_of(path, kOpenAlways) && !(writable && is_one_of(path, kOpenWritable))) continue;
    report(findings, formatted("/mounts/{}/source", i), "the host's {} is {} in the container",
           path, writable ? "writable" : "visible");
  }
}

void find_all_devices(const LintSource& source, LintFindings& findings) {
  if (!source.spec.platform.resources) return;
  const auto& rules = source.spec.platform.resources->devices;
  for (size_t i = 0; i < rules.size(); ++i) {
    if (!allows_all(rules[i])) continue;
    report(findings, formatted("/linux/resources/devices/{}", i),
           "every device of the host may be used");
  }
}

void find_host_disks(const LintSource& source, LintFindings& findings) {
  for (size_t i = 0; i < source.spec.platform.devices.size(); ++i) {
    const spec::Device& device = source.spec.platform.devices[i];
    if (device.type != 'b') continue;
    report(findings, formatted("/linux/devices/{}", i),
           "{} is a disk: what is on it can be read past every filesystem's rules", device.path);
  }
}

void find_shared_mounts(const LintSource& source, LintFindings& findings) {
  constexpr std::string_view kText = "what the container mounts there can show up on the host";
  if (is_one_of(source.spec.platform.rootfs_propagation, kSharing))
    report(findings, "/linux/rootfsPropagation", "{}", kText);
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    if (is_bind(source.spec.mounts[i]) && has_any(source.spec.mounts[i].options, kSharing))
      report(findings, formatted("/mounts/{}/options", i), "{}", kText);
  }
}

void find_writable_cgroups(const LintSource& source, LintFindings& findings) {
  if (has_user_namespace(source)) return;
  for (size_t i = 0; i < source.spec.mounts.size(); ++i) {
    const spec::Mount& mount = source.spec.mounts[i];
    if (!mount.type.starts_with("cgroup") || is_readonly(mount)) continue;
    report(findings, formatted("/mounts/{}", i),
           "the container can change its own limits: mount the cgroup read-only (ro)");
  }
}

}  // namespace berth::plan
