// SPDX-License-Identifier: Apache-2.0
#include "cli/command_table.h"

#include <algorithm>

#include "cli/commands/commands.h"

// The one table of the command line. tests/cli/test_help.py sees that help, completions and manual
// pages follow it.
namespace berth::cli {
namespace {

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

constexpr Option kRun[] = {
    kBundle,        kConfig,
    kDetach,        {"keep", 0, {}, "do not delete the container when its program ends"},
    kConsoleSocket, kPidfdSocket,
    kPidFile,       kNoSubreaper,
    kNoPivot,       kNoNewKeyring,
    kPreserveFds,   kHelp};

constexpr Option kExec[] = {
    {"process", 'p', "FILE",
     "the process object to run; the options that describe one are ignored"},
    kDetach,
    {"tty", 't', {}, "give the process a terminal"},
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
    kConsoleSocket,
    kPidfdSocket,
    kPidFile,
    kPreserveFds,
    kNoSubreaper,
    kHelp};

constexpr Option kKill[] = {
    {"all", 'a', {}, "signal every process of the container, also of one that has stopped"}, kHelp};
constexpr Option kDelete[] = {
    {"force", 'f', {}, "kill the container first; no error when it does not exist"}, kHelp};
constexpr Option kList[] = {kFormat, {"quiet", 'q', {}, "print ids only"}, kHelp};
constexpr Option kPs[] = {kFormat, kHelp};

constexpr Option kUpdate[] = {
    {"resources", 'r', "FILE",
     "resources object as JSON, - for standard input; other options are ignored"},
    {"blkio-weight", 0, "WEIGHT", "block I/O weight, 10 to 1000"},
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
    {"l3-cache-schema", 0, "SCHEMA", "Intel RDT L3 cache schema"},
    {"mem-bw-schema", 0, "SCHEMA", "Intel RDT memory bandwidth schema"},
    {"kernel-memory", 0, "BYTES", "accepted and ignored", {}, true},
    {"kernel-memory-tcp", 0, "BYTES", "accepted and ignored", {}, true},
    kHelp};

constexpr Option kEvents[] = {
    {"interval", 0, "DURATION", "time between statistics, as 500ms or 1m30s (5s)"},
    {"stats", 0, {}, "print the statistics once and exit"},
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

constexpr Command kCommands[] = {
    {.name = "create",
     .words = "ID",
     .summary = "build a container, without starting its program",
     .details = "Reads config.json of the bundle and builds everything up to the moment before the "
                "program would be executed. \"berth start\" then executes it.",
     .options = kCreate,
     .min_words = 1,
     .max_words = 1,
     .run = run_create,
     .enters_containers = true},
    {.name = "start",
     .words = "CONTAINER",
     .summary = "start the program of a created container",
     .details =
         "Returns when the program has been executed. Where $NOTIFY_SOCKET is set, as by a "
         "service manager, for create and start: when the program has said that it is ready.",
     .options = kHelpOnly,
     .min_words = 1,
     .max_words = 1,
     .run = run_start},
    {.name = "run",
     .words = "ID",
     .summary = "create a container and start it",
     .details = "Stays in the foreground, passes signals on, and deletes the container when its "
                "program ends, unless --detach is given. The exit code is the program's, or 128 "
                "and the number of the signal that killed it.",
     .options = kRun,
     .min_words = 1,
     .max_words = 1,
     .run = run_run},
    {.name = "state",
     .words = "CONTAINER",
     .summary = "print the state of a container as JSON",
     .options = kHelpOnly,
     .min_words = 1,
     .max_words = 1,
     .run = run_state},
    {.name = "kill",
     .words = "CONTAINER [SIGNAL]",
     .summary = "send a signal to a container (SIGTERM)",
     .details = "SIGNAL is a name in any case, with or without SIG, a number, or RTMIN+n.",
     .options = kKill,
     .min_words = 1,
     .max_words = 2,
     .run = run_kill,
     .stops_at_word = true},
    {.name = "delete",
     .words = "CONTAINER",
     .summary = "delete a container that has stopped",
     .options = kDelete,
     .min_words = 1,
     .max_words = 1,
     .run = run_delete},
    {.name = "list",
     .summary = "list the containers",
     .details =
         "A container whose record can not be read is reported on standard error and left out.",
     .options = kList,
     .max_words = 0,
     .run = run_list},
    {.name = "ps",
     .words = "CONTAINER [PS-OPTION...]",
     .summary = "list the processes of a container",
     .details = "Runs the host's ps with PS-OPTIONs (-ef) and keeps the container's rows. With "
                "--format=json it prints the process ids only.",
     .options = kPs,
     .min_words = 1,
     .run = run_ps,
     .stops_at_word = true},
    {.name = "pause",
     .words = "CONTAINER",
     .summary = "freeze the processes of a container",
     .options = kHelpOnly,
     .min_words = 1,
     .max_words = 1,
     .run = run_pause},
    {.name = "resume",
     .words = "CONTAINER",
     .summary = "let a paused container go on",
     .options = kHelpOnly,
     .min_words = 1,
     .max_words = 1,
     .run = run_resume},
    {.name = "exec",
     .words = "CONTAINER [COMMAND [ARGUMENT...]]",
     .summary = "run another process in a running container",
     .details = "The exit code is the process's, or 128 and the number of the signal that killed "
                "it; 255 when it could not be executed.",
     .options = kExec,
     .min_words = 1,
     .run = run_exec,
     .stops_at_word = true,
     .enters_containers = true,
     .failure_code = 255},
    {.name = "update",
     .words = "CONTAINER",
     .summary = "change the resource limits of a container",
     .details = "What is not named stays as it is.",
     .options = kUpdate,
     .min_words = 1,
     .max_words = 1,
     .run = run_update},
    {.name = "events",
     .words = "CONTAINER",
     .summary = "print statistics and out-of-memory events, one JSON object a line",
     .details = "Ends when the container stops.",
     .options = kEvents,
     .min_words = 1,
     .max_words = 1,
     .run = run_events},
    {.name = "spec",
     .summary = "write a config.json to start from",
     .details = "An existing file is never overwritten.",
     .options = kSpec,
     .max_words = 0,
     .run = run_spec},
    {.name = "features",
     .summary = "print what this runtime supports as JSON",
     .options = kHelpOnly,
     .max_words = 0,
     .run = run_features},
    {.name = "plan",
     .words = "[BUNDLE]",
     .summary = "print what create would do, step by step",
     .details = "Needs no privileges and changes nothing. Each step names the place in config.json "
                "that asks for it.",
     .options = kPlan,
     .max_words = 1,
     .run = run_plan},
    {.name = "lint",
     .words = "[BUNDLE]",
     .summary = "find what is wrong or dangerous in a bundle",
     .details =
         "Looks for members that nobody knows, for what cannot work on this host and for what "
         "opens the host to the container. Needs no privileges and changes nothing. The exit "
         "code is 1 when create would fail, else 0, also with warnings.",
     .options = kLint,
     .max_words = 1,
     .run = run_lint},
    {.name = "try",
     .words = "[COMMAND [ARGUMENT...]]",
     .summary = "run a command in a throw-away container over the host's root",
     .details = "What it writes is gone afterwards. Without COMMAND: your shell on a terminal, "
                "else a short self-portrait of the container. The exit code is the command's.",
     .options = kHelpOnly,
     .run = run_try,
     .stops_at_word = true},
    {.name = "help",
     .words = "[COMMAND]",
     .summary = "show the help of berth or of a command",
     .options = kHelpOnly,
     .max_words = 1,
     .run = run_help},
    {.name = "__gen",
     .words = "completion SHELL | scdoc PAGE",
     .options = kHelpOnly,
     .min_words = 2,
     .max_words = 2,
     .run = run_generate,
     .hidden = true},
};

}  // namespace

std::span<const Option> global_options() { return kGlobal; }
std::span<const Command> all_commands() { return kCommands; }

const Command* find_command(std::string_view name) {
  auto found = std::ranges::find(kCommands, name, &Command::name);
  return found == std::end(kCommands) ? nullptr : found;
}

}  // namespace berth::cli
