// SPDX-License-Identifier: Apache-2.0
#include "engine/gather_facts.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <charconv>

#include "berth/try.h"
#include "cgroup/layout.h"
#include "core/context.h"
#include "engine/subordinate_ids.h"
#include "os/file.h"

namespace berth::engine {
namespace {

constexpr const char* kWholeRange = "         0          0 4294967295\n";

Result<uint64_t> own_capabilities() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) < 0)
    return system_error(errno, "read the own capabilities");
  return data[0].effective | static_cast<uint64_t>(data[1].effective) << 32;
}

// Newer kernels may know more than our headers, older ones less.
int last_capability() {
  int last = CAP_LAST_CAP;
  while (last > 0 && ::prctl(PR_CAPBSET_READ, last, 0, 0, 0) < 0) --last;
  while (last < 62 && ::prctl(PR_CAPBSET_READ, last + 1, 0, 0, 0) >= 0) ++last;
  return last;
}

// "SigIgn:\t0000000000001000": what the caller ignores would be ignored by the container, too.
uint64_t ignored_signals() {
  constexpr std::string_view kName = "\nSigIgn:\t";
  const Result<std::string> text = os::read_kernel_file("/proc/self/status");
  const size_t start = text ? text->find(kName) : std::string::npos;
  uint64_t mask = 0;
  if (start == std::string::npos) return mask;
  std::from_chars(text->data() + start + kName.size(), text->data() + text->size(), mask, 16);
  return mask;
}

bool file_starts_with(const char* path, std::string_view start) {
  const Result<std::string> text = os::read_kernel_file(path);
  return text && text->starts_with(start);
}

int landlock_version() {
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  return version < 0 ? 0 : static_cast<int>(version);
}

// -1: not set, or no number.
int number_in_environment(const char* name) {
  const char* text = ::getenv(name);
  int number = -1;
  if (text == nullptr || *text == '\0') return -1;
  const char* end = text + std::string_view(text).size();
  const auto [stop, error] = std::from_chars(text, end, number);
  return stop == end && error == std::errc() ? number : -1;
}

// sd_listen_fds(3), but whatever LISTEN_PID says: it names the engine, or 1 (Podman), seldom us. A
// descriptor that is not the caller's is not passed, it would be one of ours: all of those are
// close-on-exec, what came to us through execve is not.
void gather_sockets(plan::HostFacts& facts) {
  constexpr int kMost = 4096;
  constexpr int kFirst = 3;
  const int count = number_in_environment("LISTEN_FDS");
  if (count < 1 || count > kMost) return;
  facts.listen_fds = count;
  while (facts.open_listen_fds < count && ::fcntl(kFirst + facts.open_listen_fds, F_GETFD) == 0)
    ++facts.open_listen_fds;
  if (const char* names = ::getenv("LISTEN_FDNAMES")) facts.listen_names = names;
}

}  // namespace

Result<plan::HostFacts> gather_facts(WantedFacts wanted) {
  plan::HostFacts facts;
  facts.euid = ::geteuid();
  facts.egid = ::getegid();
  facts.capabilities = TRY(own_capabilities());
  facts.last_capability = last_capability();
  facts.ignored_signals = ignored_signals();
  facts.in_user_namespace = in_user_namespace();
  facts.setgroups_denied =
      facts.in_user_namespace && file_starts_with("/proc/self/setgroups", "deny");
  if (facts.euid != 0) gather_subordinate_ids(facts);
  if (wanted.labels) {
    facts.has_apparmor = file_starts_with("/sys/module/apparmor/parameters/enabled", "Y");
    facts.has_selinux = ::access("/sys/fs/selinux/enforce", F_OK) == 0;
  }
  facts.landlock_version = landlock_version();
  gather_sockets(facts);
  if (const char* path = ::getenv("NOTIFY_SOCKET")) facts.notify_socket = path;
  if (wanted.cgroups) TRY(cgroup::gather_layout(facts));
  return facts;
}

bool in_user_namespace() { return !file_starts_with("/proc/self/uid_map", kWholeRange); }

bool names_label(const spec::Process& process) {
  return !process.apparmor_profile.empty() || !process.selinux_label.empty();
}

bool names_label(const spec::Spec& spec) {
  return !spec.platform.mount_label.empty() || (spec.process && names_label(*spec.process));
}

Result<cgroup::Systemd> open_systemd(plan::HostFacts& facts) {
  auto systemd = TRY(cgroup::Systemd::open(facts.euid != 0 || facts.in_user_namespace) |
                     context("find systemd"));
  facts.systemd_root = systemd.facts().root;
  return systemd;
}

void pretend_root(plan::HostFacts& facts) {
  if (facts.euid == 0) return;
  facts.euid = 0;
  facts.egid = 0;
  facts.capabilities = ~uint64_t{0} >> (63 - facts.last_capability);
}

}  // namespace berth::engine
