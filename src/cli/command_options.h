// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>

#include "cli/options.h"

// The options of each command, for cli/command_table.cc alone.
namespace berth::cli {

constexpr Option kHelp{"help", 'h', {}, "show this help"};

constexpr Option kGlobal[] = {
    {"root", 0, "DIR",
     "directory of the containers' state (/run/berth, or $XDG_RUNTIME_DIR/berth)"},
    {"log", 0, "FILE",
     "append log lines to FILE, or send them to journald:TAG or syslog:TAG, not to standard error"},
    {"log-format", 0, "FORMAT", "how log lines are written", "text json"},
    {"log-level", 0, "LEVEL", "the least level that is logged", "error warning info debug"},
    {"debug", 0, {}, "log everything; the same as --log-level=debug"},
    {"rootless", 0, "WHEN", "tolerate what an ordinary user may not do with cgroups",
     "true false auto"},
    {"cgroup-manager", 0, "MANAGER", "who makes cgroups; disabled leaves them alone",
     "cgroupfs systemd disabled"},
    {"systemd-cgroup", 0, {}, "the same as --cgroup-manager=systemd"},
    {"criu", 0, "PATH", "accepted and ignored", {}, true},
    {"version", 'v', {}, "print the version"},
    kHelp,
};

constexpr Option kBundle{"bundle", 'b', "DIR", "directory of config.json (the current one)"};
constexpr Option kConfig{"config", 'f', "FILE", "read FILE instead of config.json of the bundle"};
constexpr Option kConsoleSocket{"console-socket", 0, "PATH",
                                "Unix socket that receives the master end of the terminal"};
constexpr Option kPidfdSocket{"pidfd-socket", 0, "PATH",
                              "Unix socket that receives a pidfd of the process"};
constexpr Option kPidFile{"pid-file", 0, "FILE", "write the process id to FILE"};
constexpr Option kNoPivot{
    "no-pivot", 0, {}, "move the root mount and chroot instead of pivot_root (roots in RAM)"};
constexpr Option kNoNewKeyring{"no-new-keyring", 0, {}, "keep the caller's session keyring"};
constexpr Option kPreserveFds{"preserve-fds", 0, "N",
                              "pass descriptors 3 to 2+N on, after those of $LISTEN_FDS"};
constexpr Option kNoSubreaper{
    "no-subreaper", 0, {}, "do not adopt processes that lose their parent"};
constexpr Option kFormat{"format", 'f', "FORMAT", "how the result is printed", "table json"};
constexpr Option kQuietDetach{"detach", 'd', {}, "accepted and ignored", {}, true};
constexpr Option kDetach{"detach", 'd', {}, "return as soon as the program runs"};

constexpr Option kCreate[] = {kBundle,  kConfig,       kConsoleSocket, kPidfdSocket, kPidFile,
                              kNoPivot, kNoNewKeyring, kPreserveFds,   kQuietDetach, kHelp};

constexpr Option kDetachKeys{
    "detach-keys", 0, "KEYS",
    "leave a terminal, and the program running, by these keys: ctrl-X or single characters, with "
    "commas between (ctrl-p,ctrl-q)"};

constexpr Option kRun[] = {kDetachKeys,
                           kBundle,
                           kConfig,
                           kDetach,
                           {"keep", 0, {}, "do not delete the container when its program ends"},
                           kConsoleSocket,
                           kPidfdSocket,
                           kPidFile,
                           kNoSubreaper,
                           kNoPivot,
                           kNoNewKeyring,
                           kPreserveFds,
                           kHelp};

constexpr Option kExec[] = {
    {"process", 'p', "FILE",
     "the process object to run; the options that describe one are ignored"},
    kDetach,
    {"tty", 't', {}, "give the process a terminal"},
    kDetachKeys,
    {"cwd", 0, "DIR", "working directory in the container"},
    {"env", 'e', "NAME=VALUE", "add an environment variable (may be repeated)"},
    {"user", 'u', "UID[:GID]", "user and group, as numbers"},
    {"additional-gids", 'g', "GID", "add a group (may be repeated)"},
    {"cap", 'c', "CAP", "add a capability (may be repeated)"},
    {"no-new-privs", 0, {}, "the process can not gain privileges"},
    {"apparmor", 0, "PROFILE", "AppArmor profile of the process"},
    {"process-label", 0, "LABEL", "SELinux label of the process"},
    {"cgroup", 0, "[CONTROLLER,...:]PATH",
     "run in an existing cgroup below the container's (may be repeated)"},
    {"ignore-paused", 0, {}, "also when the container is paused"},
    {"hold",
     0,
     {},
     "have the process wait, all set up, for berth start --process; the pid file and the pidfd "
     "socket are served before"},
    {"exec-wait-fifo", 0, "FIFO", "have it wait until somebody opens this FIFO to read"},
    {"tools", 0, "DIR[:PLACE]",
     "let this process alone see a directory of the host, read-only, its programs first in PATH"},
    kConsoleSocket,
    kPidfdSocket,
    kPidFile,
    kPreserveFds,
    kNoSubreaper,
    kHelp};

constexpr Option kStart[] = {
    {"process", 0, "PID", "start the program of a process that berth exec holds"}, kHelp};

constexpr Option kKill[] = {
    {"all", 'a', {}, "signal every process of the container, also of one that has stopped"}, kHelp};
constexpr Option kDelete[] = {
    {"force", 'f', {}, "kill the container first; no error when it does not exist"}, kHelp};
constexpr Option kList[] = {kFormat, {"quiet", 'q', {}, "print ids only"}, kHelp};
constexpr Option kPs[] = {kFormat, kHelp};

// One list after another.
template <size_t First, size_t Second>
constexpr std::array<Option, First + Second> joined(const Option (&first)[First],
                                                    const Option (&second)[Second]) {
  std::array<Option, First + Second> all = {};
  std::ranges::copy(second, std::ranges::copy(first, all.begin()).out);
  return all;
}

// Of update and box: cli/resource_options.cc.
constexpr Option kLimits[] = {
    {"blkio-weight", 0, "WEIGHT", "block I/O weight, 10 to 1000"},
    {"blkio-weight-device", 0, "MAJOR:MINOR:WEIGHT", "the same for one device (may be repeated)"},
    {"device-read-bps", 0, "MAJOR:MINOR:BYTES",
     "bytes a second to read from a device; 0 for no limit (may be repeated)"},
    {"device-write-bps", 0, "MAJOR:MINOR:BYTES", "bytes a second to write to a device"},
    {"device-read-iops", 0, "MAJOR:MINOR:N", "reads a second from a device"},
    {"device-write-iops", 0, "MAJOR:MINOR:N", "writes a second to a device"},
    {"cpu-period", 0, "MICROSECONDS", "period of the CPU quota; 0 for the default"},
    {"cpu-quota", 0, "MICROSECONDS", "CPU time in each period; -1 for no limit"},
    {"cpu-burst", 0, "MICROSECONDS", "unused quota that may be saved up"},
    {"cpu-share", 0, "SHARES", "CPU weight against other containers"},
    {"cpu-rt-period", 0, "MICROSECONDS", "period of the real-time limit"},
    {"cpu-rt-runtime", 0, "MICROSECONDS", "real-time CPU time in each period"},
    {"cpu-idle", 0, "0|1", "1: run only when nothing else wants the CPU"},
    {"cpuset-cpus", 0, "LIST", "CPUs to run on, as 0-2,5"},
    {"cpuset-mems", 0, "LIST", "memory nodes to use"},
    {"memory", 0, "BYTES", "memory limit; suffixes k m g t; -1 for none"},
    {"memory-reservation", 0, "BYTES", "soft limit of memory"},
    {"memory-swap", 0, "BYTES", "limit of memory and swap together; -1 for none"},
    {"pids-limit", 0, "N", "most processes; -1 for no limit"},
    {"unified", 0, "FILE=VALUE", "a file of cgroup v2, as memory.high=64M (may be repeated)"},
    {"kernel-memory", 0, "BYTES", "has no effect since Linux 5.16", {}, true},
    {"kernel-memory-tcp", 0, "BYTES", "limit of TCP buffers (cgroup v1)", {}, true}};

constexpr Option kUpdateOnly[] = {
    kHelp,
    {"resources", 'r', "FILE",
     "resources object as JSON, - for standard input; takes the place of the options for limits"},
    {"force", 0, {}, "also a memory limit below the usage, for which the kernel kills processes"},
    {"l3-cache-schema", 0, "SCHEMA", "Intel RDT L3 cache schema"},
    {"mem-bw-schema", 0, "SCHEMA", "Intel RDT memory bandwidth schema"},
    {"oom-score-adj", 0, "N", "who is killed first when memory is short, -1000 to 1000"},
    {"rlimit", 0, "TYPE=SOFT[:HARD]", "a resource limit, as nofile=1024:4096 (may be repeated)"},
    {"cpu-affinity", 0, "LIST", "CPUs that the processes ask for, as 0-2,5"},
    {"io-priority", 0, "CLASS[:LEVEL]", "rt, be or idle; levels from 0 (first) to 7"},
    {"scheduler", 0, "POLICY[:N]",
     "other or batch with a nice value, fifo or rr with a priority, idle, "
     "deadline:RUNTIME:DEADLINE[:PERIOD]"}};
constexpr auto kUpdate = joined(kUpdateOnly, kLimits);

constexpr Option kAttach[] = {
    kDetachKeys,
    {"process", 0, "PID", "a process of exec --detach-keys, not the first one"},
    {"no-stdin", 0, {}, "give the program no input"},
    kHelp};

constexpr Option kBoxOnly[] = {
    kHelp,
    {"rootfs", 0, "DIR",
     "the root filesystem; without it this host's, copy-on-write, with a /tmp and /run of its own"},
    {"copy-on-write", 0, {}, "what is written to the root filesystem is gone afterwards"},
    {"read-only", 0, {}, "the root filesystem can not be written"},
    {"id", 0, "ID", "of the container (box- and random digits)"},
    {"tty", 't', {}, "give the program a terminal"},
    {"detach", 'd', {}, "print the id and return as soon as the program runs; see berth attach"},
    {"keep", 0, {}, "do not delete the container when its program ends; detached ones are kept"},
    {"rm", 0, {}, "delete also a detached one when its program ends"},
    kDetachKeys,
    {"entrypoint", 0, "COMMAND", "the words of the command line are its arguments"},
    {"env", 'e', "NAME=VALUE", "an environment variable (may be repeated)"},
    {"cwd", 'w', "DIR", "working directory in the container (/)"},
    {"user", 'u', "USER[:GROUP]", "by name in the root filesystem, or by number (0)"},
    {"additional-gids", 'g', "GID", "add a group (may be repeated)"},
    {"hostname", 0, "NAME", "host name (the id)"},
    {"privileged", 0, {}, "all capabilities and devices, nothing hidden, no seccomp filter"},
    {"no-new-privs", 0, {}, "programs can not gain privileges"},
    {"cap-add", 0, "CAP", "give a capability, or ALL (may be repeated)"},
    {"cap-drop", 0, "CAP", "take a capability, or ALL (may be repeated)"},
    {"remap", 0, "INSIDE:OUTSIDE:COUNT",
     "a user namespace with these user and group ids (may be repeated)"},
    {"mount", 'm', "SOURCE:DEST[:OPTION,...]",
     "bind a file or directory of the host (may be repeated)"},
    {"tmpfs", 0, "DEST[:OPTION,...]", "an empty directory in memory (may be repeated)"},
    {"device", 0, "PATH[:DEST[:ACCESS]]", "a device of the host (may be repeated)"},
    {"shm-size", 0, "BYTES", "size of /dev/shm (64m)"},
    {"net", 0, "none|host|PATH|INTERFACE",
     "network: a namespace of its own, the host's, or the one at PATH (none). INTERFACE is made in "
     "it (may be repeated): "
     "bridge=NAME or macvlan=PARENT, then ,ip=ADDRESS/BITS ,subnet=NETWORK ,gateway=ADDRESS "
     ",route=NETWORK@ADDRESS ,name=NAME ,mtu=BYTES ,mac=ADDRESS ,nat "
     ",publish=[ADDRESS:]HOSTPORT:PORT[/PROTOCOL], and ,make for a bridge that is not there; "
     "cni=NETWORK of /etc/cni/net.d, then ,name= ,ip= ,mac= ,publish= as its plugins can. "
     "device=NAME[,name=NAME] is moved into it and comes back"},
    {"rlimit", 0, "TYPE=SOFT[:HARD]", "a resource limit, as nofile=1024:4096 (may be repeated)"},
    {"oom-score-adj", 0, "N", "who is killed first when memory is short, -1000 to 1000"},
    {"cgroup", 0, "PATH", "of the container, as linux.cgroupsPath"},
    {"label", 0, "NAME=VALUE", "an annotation, shown by state and list (may be repeated)"}};
constexpr auto kBox = joined(kBoxOnly, kLimits);

constexpr Option kNet[] = {kFormat, kHelp};
constexpr Option kLxcfs[] = {
    {"all", 'a', {}, "every container; remount, status, check: of other runtimes, too"},
    {"pid", 0, "PID", "a container by a process of it (repeatable)"},
    {"engine-scan", 0, {}, "containers of other runtimes, too, found in the kernel"},
    {"lxcfs", 0, "DIR", "where lxcfs is mounted (looked for)"},
    {"timeout", 0, "DURATION", "for lxcfs and for each container (10s)"},
    {"watch", 0, {}, "remount: stay, and heal after each restart of lxcfs"},
    {"warn", 0, {}, "hook: failures are warnings; the container starts without lxcfs"},
    kFormat,
    kHelp};
constexpr Option kMounts[] = {
    {"token", 't', "TOKEN", "add, replace: name of the request, for a retry and remove (made up)"},
    {"pid", 0, "PID", "of another runtime's container, by a process of it, in place of CONTAINER"},
    {"engine-scan", 0, {}, "CONTAINER may be another runtime's, found in the kernel"},
    {"force", 0, {}, "remove, replace, change: also what berth has not added"},
    kFormat,
    kHelp};

constexpr Option kKeep[] = {{"bundle", 0, "DIR", {}}, {"streams", 0, "HOW", {}, "given pipes kept"},
                            {"client", 0, {}, {}},    {"overlay", 0, {}, {}},
                            {"remove", 0, {}, {}},    kHelp};

constexpr Option kEvents[] = {
    {"interval", 0, "DURATION", "time between statistics, as 500ms or 1m30s (5s)"},
    {"stats", 0, {}, "print the statistics once and exit"},
    {"format", 0, "FORMAT", "openmetrics: print the statistics once, for Prometheus",
     "json openmetrics"},
    kHelp};
constexpr Option kWait[] = {
    {"format", 0, "FORMAT", "how the exit record is printed; without it, it is not", "json"},
    kHelp};
constexpr Option kSpec[] = {
    {"bundle", 'b', "DIR", "directory that gets config.json (the current one)"},
    {"rootless", 0, {}, "for a container of an ordinary user"},
    kHelp};
constexpr Option kPlan[] = {kConfig,
                            {"format", 0, "FORMAT", "how the plan is printed", "text json"},
                            {"id", 0, "CONTAINER", "plan for this id (plan)"},
                            kHelp};
constexpr Option kLint[] = {
    kConfig, {"format", 0, "FORMAT", "how the findings are printed", "text json"}, kHelp};
constexpr Option kHelpOnly[] = {kHelp};

}  // namespace berth::cli
