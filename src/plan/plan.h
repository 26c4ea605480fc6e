// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "plan/bus_value.h"
#include "plan/host_facts.h"
#include "plan/interface_plan.h"
#include "spec/spec.h"

// Every decision about a container, made by pure functions before anything is touched. Each item
// carries the pointer into config.json that asked for it.
namespace berth::plan {

// ---- namespaces and ids ----

struct JoinedNamespace {
  spec::NamespaceType type = spec::NamespaceType::Pid;
  std::string path = {};
  std::string pointer = {};
};

// How init comes to be in its namespaces (engine/launch.cc is the only one to act on it).
enum class LaunchShape {
  Direct,  // one clone3; init joins what is to be joined by itself
  Joiner,  // a short-lived child joins first and clones init as the host's own child: a user
           // namespace is joined
};

struct NamespacePlan {
  LaunchShape shape = LaunchShape::Direct;
  uint64_t clone_flags = 0;    // CLONE_NEW* given to clone3
  uint64_t unshare_flags = 0;  // CLONE_NEWCGROUP, CLONE_NEWTIME: in init, once it is in its cgroup
  uint64_t host_flags = 0;     // CLONE_NEWNET: by the host while init mounts, and handed to it
  // By the calling thread, for the time of the clone, then left again.
  std::vector<JoinedNamespace> enter_first = {};
  std::vector<JoinedNamespace> join = {};  // by init (Direct) or the joiner
  std::vector<spec::TimeOffset> time_offsets = {};
  bool has(spec::NamespaceType type) const;  // new or joined
  bool is_new(spec::NamespaceType type) const;
  uint64_t all_flags() const;  // CLONE_NEW* of all that init has, new or joined
};

struct IdPlan {
  bool maps = false;         // a new user namespace: the host writes the maps
  std::string uid_map = {};  // text of /proc/PID/uid_map
  std::string gid_map = {};
  bool deny_setgroups = false;  // before gid_map, when the caller has no CAP_SETGID
  bool use_helpers = false;     // newuidmap, newgidmap
};

// ---- filesystem ----

enum class MountKind {
  Filesystem,  // fsopen(type)
  Bind,        // open_tree(source)
  Remount,     // change what is mounted at the target
  CgroupV1,  // a read-only tmpfs with one bind or mount for each hierarchy (see MountItem::cgroup)
  CgroupV2,  // cgroup2, or a bind of the container's own cgroup where that is refused
};

// fsconfig(2): a flag when there is no value.
struct FilesystemOption {
  std::string key = {};
  std::optional<std::string> value = {};
};

struct CgroupMountEntry {
  std::string name = {};  // directory below the target: "cpu,cpuacct"
  // Host path of the container's own cgroup there: bound when there is no cgroup namespace.
  std::string source = {};
  // Of the caller's: bound when an ordinary user could not make one there.
  std::string source_instead = {};
  std::string options = {};             // "cpu,cpuacct" or "none,name=systemd"
  std::vector<std::string> links = {};  // "cpu", "cpuacct"
};

// Texts of uid_map and gid_map; empty: those of the user namespace that is joined.
struct MountIdMap {
  bool recursive = false;
  std::string uid_map = {};
  std::string gid_map = {};
};

struct MountItem {
  MountKind kind = MountKind::Filesystem;
  std::string target = {};  // absolute inside the root, lexically clean
  std::string source = {};  // Bind: absolute path of the host; Filesystem: the source string
  std::string fs_type = {};
  std::vector<FilesystemOption> options = {};
  // A filesystem that one mount(2) makes and attaches, and its options as one word; else it is made
  // by a call for each option.
  std::optional<std::string> at_once = {};
  uint64_t attr_set = 0;  // MOUNT_ATTR_*
  uint64_t attr_clear = 0;
  uint64_t recursive_set = 0;
  uint64_t recursive_clear = 0;
  std::vector<uint64_t> propagation = {};  // MS_SHARED and so on, with MS_REC, in order
  bool recursive = false;                  // rbind
  bool source_first = false;  // opened by the host before clone (user namespace), else by init
  bool is_dev = false;  // our own /dev: the default devices are made in it before it is attached
  // MOUNT_ATTR_RDONLY is set after devices and mountpoints are made (FinishRootfs).
  bool readonly_late = false;
  std::optional<MountIdMap> id_map = {};  // idmap
  bool copy_up = false;                   // tmpcopyup
  bool optional = false;                  // nofail
  bool copy_link = false;                 // copy-symlink: a source that is a link is made anew
  bool nofollow_source = false;
  bool nofollow_target = false;
  bool cgroup_namespace = false;
  // Bound from there, with all below, when the user namespace may not make the filesystem: it shows
  // a namespace that is not its own.
  std::string instead = {};
  bool needs_network = false;  // shows or uses the network namespace of who mounts it: sysfs, nfs
  std::vector<CgroupMountEntry> cgroups = {};
  std::string pointer = {};  // /mounts/3
};

struct DeviceItem {
  std::string path = {};  // absolute inside the root: /dev/null
  mode_t mode = 0;        // with S_IFCHR, S_IFBLK or S_IFIFO
  uint32_t major = 0;
  uint32_t minor = 0;
  uid_t uid = 0;
  gid_t gid = 0;
  std::string pointer = {};  // empty: a default device
};

struct LinkItem {
  std::string path = {};    // /dev/fd
  std::string target = {};  // /proc/self/fd
};

struct PathItem {
  std::string path = {};
  std::string pointer = {};
};

enum class RootEntry {
  Pivot,
  Move,    // --no-pivot
  Chroot,  // the mount namespace must stay as it is (plan/borrowed_mounts.h)
};

struct RootPlan {
  std::string path = {};  // absolute on the host
  bool readonly = false;
  uint64_t isolation = 0;  // propagation of "/" before anything is mounted: MS_SLAVE|MS_REC, ...
  uint64_t final_propagation = 0;  // after pivot_root; 0: none
  RootEntry entry = RootEntry::Pivot;
};

// ---- process ----

struct CapabilityPlan {
  bool set = true;  // false: leave the sets as they are
  uint64_t bounding = 0;
  uint64_t effective = 0;
  uint64_t inheritable = 0;
  uint64_t permitted = 0;
  uint64_t ambient = 0;
};

struct RlimitItem {
  int resource = 0;  // RLIMIT_*
  rlimit limit = {};
  std::string pointer = {};
};

// The kernel's struct sched_attr, version 0.
struct SchedulerPlan {
  uint32_t policy = 0;
  uint64_t flags = 0;
  int32_t nice = 0;
  uint32_t priority = 0;
  uint64_t runtime = 0;
  uint64_t deadline = 0;
  uint64_t period = 0;
};

// set_mempolicy(2).
struct MemoryPolicyPlan {
  int mode = 0;                      // MPOL_*, with MPOL_F_*
  std::vector<uint64_t> nodes = {};  // one bit for each
};

// One path that Landlock leaves open.
struct LandlockItem {
  std::string path = {};  // absolute, in the container
  uint64_t rights = 0;    // LANDLOCK_ACCESS_FS_*
  std::string pointer = {};
};

enum class HugePages : unsigned char {
  AsTheHost,
  Never,
  Advised,  // only where the program asks for them by madvise(2)
};

// The annotations run.berth.*.
struct ConfinementPlan {
  bool core_cookie = false;  // core scheduling: init makes a cookie, who enters gets it
  bool merge_pages = false;  // KSM
  HugePages huge_pages = HugePages::AsTheHost;
  bool deny_write_execute = false;  // MDWE
  uint64_t landlock_rights = 0;     // all that is denied elsewhere; 0: no Landlock
  std::vector<LandlockItem> landlock = {};
};

// What a process of a container is: the same for init and for exec.
struct ProcessPlan {
  std::vector<std::string> args = {};
  std::vector<std::string> env = {};  // last of each name, HOME not yet added
  std::string cwd = {};
  bool create_cwd = true;
  bool home_from_passwd = false;  // HOME is absent: /etc/passwd of the container decides, else "/"
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups = {};
  bool set_groups = true;  // false: setgroups is denied in this user namespace
  mode_t umask = 022;
  CapabilityPlan capabilities = {};
  bool no_new_privileges = false;
  bool terminal = false;
  uint16_t console_rows = 0;
  uint16_t console_columns = 0;
  std::vector<RlimitItem> rlimits = {};
  std::optional<int> oom_score_adj = {};
  bool oom_score_may_be_denied = false;  // the caller may not lower it: no error then
  std::optional<SchedulerPlan> scheduler = {};
  std::optional<int> io_priority = {};    // of ioprio_set(2)
  std::vector<uint64_t> first_cpus = {};  // before the cgroup is joined; empty: the caller's
  std::vector<uint64_t> cpus = {};        // in the cgroup; empty: all that it has
  std::optional<MemoryPolicyPlan> memory_policy = {};
  std::optional<unsigned long> personality = {};
  ConfinementPlan confinement = {};
  std::string apparmor_profile = {};
  std::string selinux_label = {};
  bool new_keyring = true;   // join session keyring "_ses.ID"
  int preserve_fds = 0;      // descriptors 3..3+n-1 stay open
  bool listen_pid = false;   // LISTEN_PID is added to env, with the process's own pid
  bool has_seccomp = false;  // the program itself is in Prepared
  std::string pointer = {};  // "/process", or empty for exec --process
};

struct SysctlItem {
  std::string path = {};  // relative to /proc/sys: net/ipv4/ip_forward
  std::string value = {};
  std::string pointer = {};
};

struct HookItem {
  std::string path = {};
  std::vector<std::string> args = {};
  std::vector<std::string> env = {};
  std::optional<int> timeout_seconds = {};
  std::string pointer = {};

  // For poll(2): -1 without a limit; 24 days are the most.
  int timeout_milliseconds() const {
    constexpr int kMost = 2'147'483;
    return timeout_seconds ? (*timeout_seconds < kMost ? *timeout_seconds : kMost) * 1000 : -1;
  }
};

// ---- cgroup ----

// One write to one file of the container's cgroup.
struct CgroupWrite {
  std::string controller = {};  // v1: names the hierarchy; v2: must be enabled
  std::string file = {};        // "memory.max"
  std::string value = {};
  std::string pointer = {};  // /linux/resources/memory/limit
  bool if_exists = false;    // a missing file is no error (the value asks for what is the default)
  // EINVAL: written again after all others (memory and memsw, quota and burst).
  bool retry_last = false;
  // Written instead when `file` is missing: io.weight for io.bfq.weight.
  std::string else_file = {};
  std::string else_value = {};
  std::string not_below = {};  // "memory.current": refused when it holds more than `value`
  // memory.max: below the usage the kernel would kill. Memory is freed first, or the write refused.
  bool make_room = false;
};

enum class CgroupDriver { Filesystem, Systemd, Disabled };

// One hierarchy in which the container gets a directory.
struct CgroupPlace {
  std::vector<std::string> controllers = {};
  std::string mountpoint = {};
  std::string path = {};  // below the mountpoint, "/a/b"; parents are made when missing
  bool is_v2 = false;
};

struct DeviceRulePlan {
  char type = 'a';     // 'a', 'b', 'c'
  int64_t major = -1;  // -1: all
  int64_t minor = -1;
  bool read = false, write = false, mknod = false;
  bool allow = false;
};

// The unit of systemd that holds a container (org.freedesktop.systemd1(5)).
struct UnitPlan {
  std::string name = {};  // "berth-ID.scope"
  std::string description = {};
  std::string slice = {};                     // the unit that it is in: "machine-a.slice"
  bool of_user = false;                       // of the user's manager, not the system's
  std::vector<UnitProperty> properties = {};  // that annotations ask for
};

struct CgroupPlan {
  CgroupDriver driver = CgroupDriver::Filesystem;
  UnitPlan unit = {};  // Systemd
  std::vector<CgroupPlace> places = {};
  std::vector<CgroupWrite> writes = {};  // in order
  bool limits_devices = false;
  std::vector<DeviceRulePlan> devices = {};  // in order, the runtime's own allow-list last
  bool delegate = false;  // chown to the container's root (config-linux.md, "Cgroup ownership")
  uid_t delegate_uid = 0;
  bool tolerate_denied = false;  // rootless: places that can not be made are left out
};

// ---- resctrl (intelRdt) ----

// The class of service that a container is put into, and what it must say.
struct RdtPlan {
  std::string group = {};     // a directory of the resctrl filesystem; empty: the default class
  bool own = false;           // made for the container, and removed with it
  bool must_exist = false;    // made by somebody else: only joined
  std::string schemata = {};  // lines: written to a new class, compared with one that exists
  std::string monitor = {};   // a directory in mon_groups of it, made and removed; empty: none
};

// ---- the whole ----

struct HostPlan {
  std::string id = {};
  std::string bundle = {};  // absolute
  NamespacePlan namespaces = {};
  IdPlan ids = {};
  CgroupPlan cgroup = {};
  std::vector<HookItem> prestart = {};
  std::vector<HookItem> create_runtime = {};
  std::vector<spec::NetDevice> net_devices = {};
  std::vector<InterfacePlan> interfaces = {};
  std::optional<RdtPlan> rdt = {};
  std::vector<std::string> warnings = {};
};

struct InitPlan {
  std::string id = {};
  NamespacePlan const* namespaces = nullptr;  // set by the engine once the plan is where it stays
  RootPlan root = {};
  bool new_mount_namespace = true;
  bool new_user_namespace = false;
  bool bring_up_loopback = false;
  std::vector<MountItem> mounts = {};
  std::vector<DeviceItem> devices = {};
  bool bind_devices = false;  // in a user namespace: bound from the host
  std::vector<LinkItem> links = {};
  bool make_devices = true;  // false: /dev is a bind mount of the host's
  std::vector<PathItem> masked_paths = {};
  std::vector<PathItem> readonly_paths = {};
  std::string hostname = {};
  std::string domainname = {};
  std::vector<SysctlItem> sysctls = {};
  std::vector<HookItem> create_container = {};
  std::vector<HookItem> start_container = {};
  ProcessPlan process = {};
};

struct Plan {
  HostPlan host = {};
  InitPlan init = {};
};

// Where in the container a tree of tools may be mounted, for one process to see.
struct ToolPlace {
  std::string path = {};  // "mnt": below the root
  bool if_empty = true;   // only if it is an empty directory
};

// Joining a running container: exec. Namespaces are taken from init's pidfd.
struct EnterPlan {
  std::string id = {};
  bool privileged = true;  // else the caller has rights inside only
  LaunchShape shape = LaunchShape::Direct;
  uint64_t namespaces = 0;    // CLONE_NEW* that differ from the caller's
  bool changes_root = false;  // to that of the container's init: its mount namespace has another
  std::vector<ToolPlace> tool_places = {};  // the first that will do is taken
  ProcessPlan process = {};
  std::vector<std::string> warnings = {};
};

}  // namespace berth::plan
