// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "berth/resources.h"
#include "berth/update.h"

// config.json of runtime-spec 1.3.0 (config.md, config-linux.md) as types: what was asked, nothing
// decided. An optional that is not set was absent; a vector that is empty was absent or empty
// unless it is an optional.
namespace berth::spec {

// berth/update.h
using berth::IoPriority;
using berth::Rlimit;
using berth::Scheduler;
using berth::StringMap;

struct Root {
  std::string path = {};
  bool readonly = false;
  bool operator==(const Root&) const = default;
};

struct IdMapping {
  uint32_t container_id = 0;
  uint32_t host_id = 0;
  uint32_t size = 0;
  bool operator==(const IdMapping&) const = default;
};

struct Mount {
  std::string destination = {};
  std::string type = {};
  std::string source = {};
  std::vector<std::string> options = {};
  std::optional<std::vector<IdMapping>> uid_mappings = {};
  std::optional<std::vector<IdMapping>> gid_mappings = {};
  bool operator==(const Mount&) const = default;
};

struct User {
  uint32_t uid = 0;
  uint32_t gid = 0;
  std::optional<uint32_t> umask = {};
  std::vector<uint32_t> additional_gids = {};
  std::string username = {};
  bool operator==(const User&) const = default;
};

// Names as written ("CAP_CHOWN"); unknown ones are warned of by the planner.
struct Capabilities {
  std::vector<std::string> bounding = {};
  std::vector<std::string> effective = {};
  std::vector<std::string> inheritable = {};
  std::vector<std::string> permitted = {};
  std::vector<std::string> ambient = {};
  bool operator==(const Capabilities&) const = default;
};

struct ConsoleSize {
  uint16_t height = 0;
  uint16_t width = 0;
  bool operator==(const ConsoleSize&) const = default;
};

struct ExecCpuAffinity {
  std::string initial = {};
  std::string final = {};
  bool operator==(const ExecCpuAffinity&) const = default;
};

struct Process {
  bool terminal = false;
  std::optional<ConsoleSize> console_size = {};
  std::string cwd = {};
  std::vector<std::string> env = {};
  std::vector<std::string> args = {};
  User user = {};
  std::optional<Capabilities> capabilities = {};
  std::vector<Rlimit> rlimits = {};
  bool no_new_privileges = false;
  std::string apparmor_profile = {};
  std::string selinux_label = {};
  std::optional<int32_t> oom_score_adj = {};
  std::optional<Scheduler> scheduler = {};
  std::optional<IoPriority> io_priority = {};
  std::optional<ExecCpuAffinity> exec_cpu_affinity = {};
  bool operator==(const Process&) const = default;
};

struct Hook {
  std::string path = {};
  std::vector<std::string> args = {};
  std::optional<std::vector<std::string>> env = {};
  std::optional<int32_t> timeout = {};  // seconds, > 0
  bool operator==(const Hook&) const = default;
};

struct Hooks {
  std::vector<Hook> prestart = {};
  std::vector<Hook> create_runtime = {};
  std::vector<Hook> create_container = {};
  std::vector<Hook> start_container = {};
  std::vector<Hook> poststart = {};
  std::vector<Hook> poststop = {};
  bool operator==(const Hooks&) const = default;
};

enum class NamespaceType { Pid, Network, Mount, Ipc, Uts, User, Cgroup, Time };
inline constexpr int kNamespaceTypes = 8;

struct Namespace {
  NamespaceType type = NamespaceType::Pid;
  std::string path = {};  // empty: a new one
  bool operator==(const Namespace&) const = default;
};

struct Device {
  std::string path = {};
  char type = 'c';  // 'c', 'b', 'u', 'p'
  int64_t major = 0;
  int64_t minor = 0;
  std::optional<uint32_t> file_mode = {};
  std::optional<uint32_t> uid = {};
  std::optional<uint32_t> gid = {};
  bool operator==(const Device&) const = default;
};

struct NetDevice {
  std::string host_name = {};  // the key of the map
  std::string name = {};       // empty: unchanged
  bool operator==(const NetDevice&) const = default;
};

struct TimeOffset {
  std::string clock = {};  // "monotonic", "boottime"
  int64_t seconds = 0;
  uint32_t nanoseconds = 0;
  bool operator==(const TimeOffset&) const = default;
};

// linux.resources: berth/resources.h
using berth::BlockIoResources;
using berth::CpuResources;
using berth::DeviceRule;
using berth::HugepageLimit;
using berth::MemoryResources;
using berth::NetworkPriority;
using berth::NetworkResources;
using berth::RdmaLimit;
using berth::Resources;
using berth::ThrottleDevice;
using berth::WeightDevice;

// ---- linux.seccomp
// ----------------------------------------------------------------------------------------------

enum class SeccompAction { KillThread, KillProcess, Trap, Errno, Trace, Allow, Log, Notify };
enum class SeccompOperator {
  NotEqual,
  Less,
  LessOrEqual,
  Equal,
  GreaterOrEqual,
  Greater,
  MaskedEqual
};

struct SeccompArg {
  uint32_t index = 0;
  uint64_t value = 0;
  uint64_t value_two = 0;
  SeccompOperator op = SeccompOperator::Equal;
  bool operator==(const SeccompArg&) const = default;
};

struct SeccompRule {
  std::vector<std::string> names = {};
  SeccompAction action = SeccompAction::Allow;
  std::optional<uint32_t> errno_ret = {};
  std::vector<SeccompArg> args = {};
  bool operator==(const SeccompRule&) const = default;
};

struct Seccomp {
  SeccompAction default_action = SeccompAction::Allow;
  std::optional<uint32_t> default_errno_ret = {};
  std::vector<std::string> architectures = {};         // "SCMP_ARCH_X86_64", ...
  std::optional<std::vector<std::string>> flags = {};  // absent: SPEC_ALLOW
  std::string listener_path = {};
  std::string listener_metadata = {};
  std::vector<SeccompRule> rules = {};
  bool operator==(const Seccomp&) const = default;
};

struct IntelRdt {
  std::string clos_id = {};
  std::vector<std::string> schemata = {};
  std::string l3_cache_schema = {};
  std::string mem_bw_schema = {};
  bool enable_monitoring = false;
  bool operator==(const IntelRdt&) const = default;
};

struct MemoryPolicy {
  std::string mode = {};
  std::string nodes = {};
  std::vector<std::string> flags = {};
  bool operator==(const MemoryPolicy&) const = default;
};

struct Personality {
  std::string domain = {};
  std::vector<std::string> flags = {};
  bool operator==(const Personality&) const = default;
};

struct Linux {
  std::vector<Namespace> namespaces = {};
  std::vector<IdMapping> uid_mappings = {};
  std::vector<IdMapping> gid_mappings = {};
  std::vector<TimeOffset> time_offsets = {};
  std::vector<Device> devices = {};
  std::vector<NetDevice> net_devices = {};
  std::string cgroups_path = {};
  std::optional<Resources> resources = {};
  std::string rootfs_propagation = {};
  StringMap sysctl = {};
  std::optional<Seccomp> seccomp = {};
  std::vector<std::string> masked_paths = {};
  std::vector<std::string> readonly_paths = {};
  std::string mount_label = {};
  std::optional<IntelRdt> intel_rdt = {};
  std::optional<MemoryPolicy> memory_policy = {};
  std::optional<Personality> personality = {};
  bool operator==(const Linux&) const = default;
};

struct Spec {
  std::string oci_version = {};
  std::optional<Process> process = {};
  std::optional<Root> root = {};
  std::string hostname = {};
  std::string domainname = {};
  std::vector<Mount> mounts = {};
  Hooks hooks = {};
  StringMap annotations = {};
  bool has_more_annotations = false;  // left out: Detail::Effects of read_spec
  Linux platform = {};                // the object "linux" (the word is a macro of gcc)
  bool operator==(const Spec&) const = default;
};

}  // namespace berth::spec
