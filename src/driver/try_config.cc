// SPDX-License-Identifier: Apache-2.0
#include <unistd.h>

#include <cstdlib>

#include "berth/oci.h"
#include "core/format.h"
#include "driver/json_text.h"
#include "driver/try_seccomp.h"

namespace berth {
namespace {

using driver::quoted;
using driver::quoted_list;

struct Caller {
  bool root = false;
  std::string home = {};
  std::string directory = {};
  std::vector<std::string> environment = {};
};

bool is_below(std::string_view path, std::string_view directory) {
  return path == directory || (path.starts_with(directory) && path[directory.size()] == '/');
}

// A private directory is mounted here, so it must be a plain absolute path of its own.
std::string home_directory() {
  const char* home = getenv("HOME");
  std::string_view path = home == nullptr ? "" : home;
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (auto system : {"/proc", "/sys", "/dev"}) {
    if (is_below(path, system)) path = "";
  }
  bool plain =
      path.starts_with('/') && path != "/" && !path.contains("/../") && !path.ends_with("/..");
  return plain ? std::string(path) : "/root";
}

// Where the caller is, unless a private directory will cover it.
std::string working_directory(const std::string& home) {
  char* current = getcwd(nullptr, 0);
  std::string path = current == nullptr || current[0] != '/' ? "/" : current;
  free(current);
  for (std::string_view covered :
       {std::string_view(home), std::string_view("/tmp"), std::string_view("/run"),
        std::string_view("/dev"), std::string_view("/proc"), std::string_view("/sys")}) {
    if (is_below(path, covered)) return home;
  }
  return path;
}

// Of the caller's environment only what makes output readable: the rest may hold secrets.
std::vector<std::string> environment_of_try(const std::string& home) {
  std::vector<std::string> variables = {
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=" + home,
      "container=berth"};
  for (const char* name : {"TERM", "COLORTERM", "LANG", "LC_ALL", "TZ"}) {
    const char* value = getenv(name);
    if (value != nullptr) variables.push_back(std::string(name) + "=" + value);
  }
  return variables;
}

Caller describe_caller() {
  Caller caller = {.root = geteuid() == 0, .home = home_directory()};
  caller.directory = working_directory(caller.home);
  caller.environment = environment_of_try(caller.home);
  return caller;
}

std::string process(const Caller& caller, const std::vector<std::string>& args, bool terminal) {
  constexpr std::string_view kCapabilities =
      R"(["CAP_CHOWN","CAP_DAC_OVERRIDE","CAP_FSETID","CAP_FOWNER","CAP_MKNOD","CAP_NET_RAW","CAP_SETGID",)"
      R"("CAP_SETUID","CAP_SETFCAP","CAP_SETPCAP","CAP_NET_BIND_SERVICE","CAP_SYS_CHROOT","CAP_KILL",)"
      R"("CAP_AUDIT_WRITE"])";
  return formatted(
      R"({{"terminal":{},"user":{{"uid":0,"gid":0}},"args":{},"env":{},"cwd":{},)"
      R"("capabilities":{{"bounding":{},"effective":{},"permitted":{}}},"noNewPrivileges":true}})",
      terminal, quoted_list(args), quoted_list(caller.environment), quoted(caller.directory),
      kCapabilities, kCapabilities, kCapabilities);
}

std::string mounts(const Caller& caller) {
  constexpr std::string_view kFixed =
      R"([{"destination":"/proc","type":"proc","source":"proc","options":["nosuid","noexec","nodev"]},)"
      R"({"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","strictatime","mode=755","size=65536k"]},)"
      R"({"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["nosuid","noexec","nodev","mode=1777","size=65536k"]},)"
      R"({"destination":"/dev/mqueue","type":"mqueue","source":"mqueue","options":["nosuid","noexec","nodev"]},)"
      R"({"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]},)"
      R"({"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup","options":["nosuid","noexec","nodev","relatime","ro"]},)"
      R"({"destination":"/tmp","type":"tmpfs","source":"tmpfs","options":["nosuid","nodev","mode=1777"]},)"
      R"({"destination":"/run","type":"tmpfs","source":"tmpfs","options":["nosuid","nodev","mode=755"]},)";
  return formatted(
      R"({}{{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["nosuid","noexec","newinstance","ptmxmode=0666","mode=0620"{}]}},)"
      R"({{"destination":{},"type":"tmpfs","source":"tmpfs","options":["nosuid","nodev","mode=700"]}}])",
      // Group tty has no number in the user namespace of an ordinary user.
      kFixed, caller.root ? R"(,"gid=5")" : "", quoted(caller.home));
}

std::string namespaces(const Caller& caller) {
  constexpr std::string_view kAll =
      R"({"type":"pid"},{"type":"network"},{"type":"mount"},{"type":"ipc"},{"type":"uts"},{"type":"cgroup"})";
  if (caller.root) return formatted(R"("namespaces":[{}])", kAll);
  return formatted(
      R"("namespaces":[{},{{"type":"user"}}],"uidMappings":[{{"containerID":0,"hostID":{},"size":1}}],)"
      R"("gidMappings":[{{"containerID":0,"hostID":{},"size":1}}])",
      kAll, geteuid(), getegid());
}

std::string linux_object(const Caller& caller) {
  constexpr std::string_view kPaths =
      R"("maskedPaths":["/proc/acpi","/proc/asound","/proc/interrupts","/proc/kcore","/proc/keys","/proc/latency_stats",)"
      R"("/proc/sched_debug","/proc/scsi","/proc/timer_list","/proc/timer_stats","/sys/devices/virtual/powercap",)"
      R"("/sys/firmware"],"readonlyPaths":["/proc/bus","/proc/fs","/proc/irq","/proc/sys","/proc/sysrq-trigger"])";
  constexpr std::string_view kDevices =
      R"("resources":{"devices":[{"allow":false,"access":"rwm"}]},)";
  return formatted(R"({{{},{}{},"seccomp":{}}})", namespaces(caller), caller.root ? kDevices : "",
                   kPaths, driver::try_seccomp());
}

}  // namespace

std::string try_config(const std::vector<std::string>& args, bool terminal) {
  auto caller = describe_caller();
  return formatted(
      R"({{"ociVersion":"{}","process":{},"root":{{"path":"/"}},"hostname":"berth-try","mounts":{},"linux":{}}})",
      kSpecVersion, process(caller, args, terminal), mounts(caller), linux_object(caller));
}

}  // namespace berth
