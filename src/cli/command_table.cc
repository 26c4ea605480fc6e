// SPDX-License-Identifier: Apache-2.0
#include "cli/command_table.h"

#include <algorithm>

#include "cli/command_options.h"
#include "cli/commands/commands.h"

// The one table of the command line. tests/cli/test_help.py sees that help, completions and manual
// pages follow it.
namespace berth::cli {
namespace {

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
     .options = kStart,
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
     .details =
         "The exit code is the process's, or 128 and the number of the signal that killed it; 255 "
         "when it could not be executed. With --hold or --exec-wait-fifo and --detach, it returns "
         "while the process waits right before its program. PLACE of --tools is a directory in the "
         "container; without it one is chosen where nothing is missed.",
     .options = kExec,
     .min_words = 1,
     .run = run_exec,
     .stops_at_word = true,
     .enters_containers = true,
     .failure_code = 255},
    {.name = "update",
     .words = "CONTAINER",
     .summary = "change the limits of a running container, and attributes of its processes",
     .details = "What is not named stays as it is. All or nothing: when something is refused, the "
                "old values are back. A memory limit below the usage is refused unless enough can "
                "be reclaimed.",
     .options = kUpdate,
     .min_words = 1,
     .max_words = 1,
     .run = run_update},
    {.name = "events",
     .words = "CONTAINER",
     .summary = "print statistics and out-of-memory events, one JSON object a line",
     .details =
         "Ends when the container stops. An out-of-memory event says whose limit it was, and "
         "who was killed where the kernel's log may be read.",
     .options = kEvents,
     .min_words = 1,
     .max_words = 1,
     .run = run_events},
    {.name = "wait",
     .words = "CONTAINER",
     .summary = "wait until a container's program has ended",
     .details = "The exit code is the program's, or 128 and the number of the signal that killed "
                "it; 254 when it is not known, because nobody was watching; 255 when this command "
                "failed. Also of a container that has ended already, until it is deleted.",
     .options = kWait,
     .min_words = 1,
     .max_words = 1,
     .run = run_wait,
     .failure_code = 255},
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
    {.name = "box",
     .words = "COMMAND [ARGUMENT...]",
     .summary = "run a command in a container, without a config.json",
     .details =
         "Stays in the foreground and deletes the container when its program ends, unless --detach "
         "or --keep is given. The exit code is the program's, or 128 and the number of the signal "
         "that killed it. All other commands take a box's id, too: exec, ps, kill, wait, delete.",
     .options = kBox,
     .run = run_box,
     .stops_at_word = true},
    {.name = "attach",
     .words = "CONTAINER",
     .summary = "connect to the streams of a box, or to a terminal that was left",
     .details =
         "Of a box that was started with --detach or with a terminal, and of run and exec with "
         "--detach-keys. Shows the last of what was written before, then all; any number may be "
         "attached at once. The exit code is the "
         "program's when it ends, 0 when left by the keys.",
     .options = kAttach,
     .min_words = 1,
     .max_words = 1,
     .run = run_attach},
    {.name = "lxcfs",
     .words = "mount|umount|remount|status|check|hook [CONTAINER...]",
     .summary = "the files of lxcfs in running containers",
     .details =
         "mount puts each file that lxcfs offers over the container's own, umount takes them away, "
         "also when lxcfs is dead. remount heals what lxcfs left behind when it was restarted: "
         "nothing is missing meanwhile (Linux 6.5). status shows each file, check only "
         "containers where something is wrong, and exits with 1 then. hook is for hooks of a "
         "config.json (createRuntime, "
         "prestart, poststart) and reads the state from standard input. Exit status 1: something "
         "failed, the table says what.",
     .options = kLxcfs,
     .min_words = 1,
     .run = run_lxcfs},
    {.name = "mounts",
     .words = "add|remove|replace|change|list [CONTAINER] [FILE|MOUNT|NAME...]",
     .summary = "change the mounts of a running container",
     .details =
         "add mounts all or nothing, and prints the request's token: each MOUNT is "
         "SOURCE:DEST[:OPTION,...], a bind of the host's, or TYPE::DEST[:OPTION,...], a new "
         "filesystem; a FILE (- or a name ending in .json) has an array of mounts as config.json "
         "has them. The same request again finds it done. replace puts such a MOUNT in the place "
         "of "
         "what is mounted there, without a moment in which nothing is. change takes "
         "DEST:OPTION[,OPTION...] for attributes: ro, rw, noexec, exec and so on. remove takes "
         "destinations, tokens and such files. All three touch only what was added, unless "
         "--force is given.",
     .options = kMounts,
     .min_words = 1,
     .run = run_mounts},
    {.name = "net",
     .words = "attach|detach|list|prune [CONTAINER] [INTERFACE|NAME...]",
     .summary = "change the network interfaces of a running container",
     .details =
         "attach makes each INTERFACE, all or none, and prints their names: bridge=NAME or "
         "macvlan=PARENT, then ,ip=ADDRESS/BITS ,subnet=NETWORK (an address that is free there) "
         ",gateway=ADDRESS ,route=NETWORK@ADDRESS ,name=NAME ,mtu=BYTES ,mac=ADDRESS ,nat "
         ",publish=[ADDRESS:]HOSTPORT:PORT[/PROTOCOL], and ,make for a bridge that is not there; "
         "cni=NETWORK of /etc/cni/net.d, then ,name= ,ip= ,mac= ,publish= as its plugins can. "
         "detach removes those that berth has made. They go with the container. prune removes what "
         "is left of containers that are gone without it.",
     .options = kNet,
     .min_words = 1,
     .run = run_net},
    {.name = "help",
     .words = "[COMMAND]",
     .summary = "show the help of berth or of a command",
     .options = kHelpOnly,
     .max_words = 1,
     .run = run_help},
    {.name = "__keep",
     .words = "ID",
     .options = kKeep,
     .min_words = 1,
     .max_words = 1,
     .run = run_keep,
     .hidden = true},
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
  auto found =
      std::ranges::find(kCommands, name, [](const Command& each) { return each.name.view(); });
  return found == std::end(kCommands) ? nullptr : found;
}

}  // namespace berth::cli
