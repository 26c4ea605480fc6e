# SPDX-License-Identifier: Apache-2.0
"""linux.seccomp as a program in the container sees it."""
import base64
import errno
import itertools
import json
import os
import pathlib
import platform
import signal
import socket
import struct
import subprocess
import sys

import pytest

from machine import HAS_32_BIT_CALLS, needs_32_bit_calls

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import engine_profile  # noqa: E402

pytestmark = pytest.mark.skipif(platform.machine() != "x86_64", reason="numbers of x86-64")

GETPPID, MKDIR, GETPGID, ACCT, ADD_KEY = 110, 83, 121, 163, 248
UNNAMED = 184  # tuxcall: no profile has it
X32 = 0x40000000
NARROW_MKDIR = 39
numbers = itertools.count()
OURS = {"SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"}


@pytest.fixture(scope="session")
def probe(tmp_path_factory):
    folder = tmp_path_factory.mktemp("probe")
    source = pathlib.Path(__file__).with_name("seccomp_probe.c")
    subprocess.run(["gcc", "-static", "-pthread", "-o", folder / "probe", source], check=True)
    folder.chmod(0o755)
    return folder


def words(*calls):
    """["call", 1], ["path", 2] -> call 1 -- path 2"""
    flat = []
    for call in calls:
        flat += ["--", *map(str, call)]
    return flat[1:]


def probing(berth, probe, profile, *calls, change=None):
    """A bundle whose program makes these calls under the profile."""
    bundle = berth.bundle("/probe/probe", *words(*calls), name=f"bundle-{next(numbers)}")
    config = berth.read_config(bundle)
    config["mounts"].append({"source": str(probe), "destination": "/probe", "type": "bind", "options": ["bind", "ro"]})
    config["mounts"].append({"source": "tmpfs", "destination": "/tmp", "type": "tmpfs"})
    if profile:
        config["linux"]["seccomp"] = profile
    if change:
        change(config)
    berth.write_config(bundle, config)
    return bundle


def answers(berth, probe, profile, *calls, **more):
    return berth.ok("run", "-b", probing(berth, probe, profile, *calls, **more), berth.new_id()).splitlines()


def code(berth, probe, profile, *calls):
    return berth("run", "-b", probing(berth, probe, profile, *calls), berth.new_id()).returncode


def allow_but(*rules, **more):
    return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": list(rules)} | more


def rule(name, action, *args, **more):
    return {"names": [name], "action": f"SCMP_ACT_{action}"} | ({"args": list(args)} if args else {}) | more


def arg(index, op, value, second=0):
    return {"index": index, "op": f"SCMP_CMP_{op}", "value": value, "valueTwo": second}


@pytest.mark.parametrize("action, more, line", [
    ("ALLOW", {}, "done 0"), ("LOG", {}, "done 0"), ("ERRNO", {}, f"failed {errno.EPERM}"),
    ("ERRNO", {"errnoRet": 18}, "failed 18"), ("TRAP", {}, f"trapped {GETPGID} 0"),
    ("TRACE", {}, f"failed {errno.ENOSYS}")], ids=["allow", "log", "errno", "errno-18", "trap", "trace"])
def test_action(berth, probe, action, more, line):
    profile = allow_but(rule("getpgid", action, **more))
    assert answers(berth, probe, profile, ["call", GETPGID]) == [line]


def test_default_action_has_an_errno(berth, probe):
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 18} | {"syscalls": debians_rules()}
    assert answers(berth, probe, profile, ["call", UNNAMED], ["call", GETPPID]) == ["failed 18", "done 0"]


@pytest.mark.parametrize("action, told", [("KILL", "the others live\n"), ("KILL_THREAD", "the others live\n"),
                                          ("KILL_PROCESS", "")])
def test_who_is_killed(berth, probe, action, told):
    profile = allow_but(rule("getpgid", action))
    assert code(berth, probe, profile, ["call", GETPGID]) == 128 + signal.SIGSYS
    done = berth("run", "-b", probing(berth, probe, profile, ["thread", GETPGID]), berth.new_id())
    assert done.stdout == told and done.returncode == (0 if told else 128 + signal.SIGSYS)


HIGH = 0x1_0000_0005
CORNERS = (0, 4, 5, 6, 0x1_0000_0004, HIGH, 0x1_0000_0006, 0xffff_ffff_ffff_ffff)


@pytest.mark.parametrize("op, holds", [
    ("NE", lambda value: value != HIGH), ("LT", lambda value: value < HIGH), ("LE", lambda value: value <= HIGH),
    ("EQ", lambda value: value == HIGH), ("GE", lambda value: value >= HIGH), ("GT", lambda value: value > HIGH),
    ("MASKED_EQ", lambda value: value & HIGH == 5)])
def test_operator(berth, probe, op, holds):
    """getppid looks at no argument."""
    for index in (0, 5):
        condition = arg(index, op, HIGH, 5)
        profile = allow_but(rule("getppid", "ERRNO", condition, errnoRet=18))
        calls = [["call", GETPPID, *[7] * index, value] for value in CORNERS]
        expected = ["failed 18" if holds(value) else "done 0" for value in CORNERS]
        assert answers(berth, probe, profile, *calls) == expected


def test_conditions_on_two_arguments_hold_together(berth, probe):
    profile = allow_but(rule("getppid", "ERRNO", arg(0, "EQ", 1), arg(1, "EQ", 2)))
    calls = [["call", GETPPID, *pair] for pair in ((1, 2), (1, 3), (0, 2))]
    assert answers(berth, probe, profile, *calls) == ["failed 1", "done 0", "done 0"]


def test_conditions_on_one_argument_are_alternatives(berth, probe):
    profile = allow_but(rule("getppid", "ERRNO", arg(0, "EQ", 1), arg(0, "EQ", 2)))
    calls = [["call", GETPPID, value] for value in (1, 2, 3)]
    assert answers(berth, probe, profile, *calls) == ["failed 1", "failed 1", "done 0"]


NO_MKDIR = ({"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"},)


@needs_32_bit_calls
def test_other_doors_to_the_same_call(berth, probe):
    """Calls of an architecture that the profile does not name are killed."""
    profile = allow_but(*NO_MKDIR, architectures=["SCMP_ARCH_X86_64"])
    assert answers(berth, probe, profile, ["path", MKDIR]) == ["failed 1"]
    for call in (["path", MKDIR | X32], ["narrow", NARROW_MKDIR]):
        done = berth("run", "-b", probing(berth, probe, profile, call), berth.new_id())
        assert done.returncode == 128 + signal.SIGSYS and done.stdout == ""


@needs_32_bit_calls
def test_a_named_architecture_has_the_rules_too(berth, probe):
    profile = allow_but(*NO_MKDIR, architectures=["SCMP_ARCH_X86"])
    narrow_getpgid = 132
    calls = (["narrow", NARROW_MKDIR], ["path", MKDIR], ["narrow", narrow_getpgid, 1])
    assert answers(berth, probe, profile, *calls) == ["failed 1", "failed 1", "done 0"]


@pytest.mark.parametrize("default", ["ERRNO", "KILL", "KILL_PROCESS", "TRAP"])
def test_calls_newer_than_the_profile(berth, probe, default):
    """They are answered as by an older kernel, so that a libc falls back; those that it could know are refused."""
    profile = {"defaultAction": f"SCMP_ACT_{default}", "architectures": ["SCMP_ARCH_X86_64"], "syscalls": debians_rules()}
    newer = [["call", number] for number in (500, 9999, 0x3fffffff)]
    assert answers(berth, probe, profile, *newer) == [f"failed {errno.ENOSYS}"] * 3
    done = berth("run", "-b", probing(berth, probe, profile, ["call", UNNAMED]), berth.new_id())
    expected = {"ERRNO": f"failed {errno.EPERM}\n", "TRAP": f"trapped {UNNAMED} 0\n"}.get(default, "")
    assert done.stdout == expected and done.returncode == (0 if expected else 128 + signal.SIGSYS)


def debians_rules():
    if not engine_profile.SOURCE.exists():
        pytest.skip(f"no {engine_profile.SOURCE}")
    return engine_profile.rules()


def test_profile_of_the_engines(berth, probe):
    """That of Debian's golang-github-containers-common, as Podman passes it."""
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": errno.ENOSYS, "architectures": sorted(OURS),
               "syscalls": debians_rules()}
    assert sum(len(each["names"]) for each in profile["syscalls"]) > 350
    personality, linux32 = 135, 8
    calls = [["call", GETPPID], ["path", MKDIR, 0o700], ["call", ACCT], ["call", ADD_KEY],
             ["call", personality, linux32], ["call", personality, 0x1234], ["narrow", NARROW_MKDIR, 0, 0o700],
             ["call", 9999]]
    expected = ["done 0", "done 0", "failed 1", "failed 38", "done 0", "failed 38", f"failed {errno.EEXIST}", "failed 38"]
    if not HAS_32_BIT_CALLS:
        del calls[6], expected[6]
    assert answers(berth, probe, profile, *calls) == expected


def test_exec_is_under_the_profile(berth, probe):
    profile = allow_but(*NO_MKDIR)
    container = berth.new_id()
    berth.ok("create", "-b", probing(berth, probe, profile, ["call", GETPPID]), container)
    berth.ok("start", container)
    other = berth.new_id()
    bundle = probing(berth, probe, profile, ["call", GETPPID],
                     change=lambda config: config["process"].update(args=["sh", "-c", "read line"]))
    never, input_end = os.pipe()
    berth.open_ends.append(input_end)
    berth.ok("run", "-d", "-b", bundle, other, stdin=never)
    os.close(never)
    assert berth.ok("exec", other, "/probe/probe", "path", str(MKDIR)) == "failed 1\n"


class Agent:
    """What listens at listenerPath: one connection for each process."""

    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(self.path)
        self.socket.listen(4)
        self.socket.settimeout(30)

    def hear(self):
        """The state, and how many descriptors came; all of it, to the connection's end."""
        connection, _ = self.socket.accept()
        text, descriptors, _, _ = socket.recv_fds(connection, 65536, 8)
        rest = connection.recv(1)
        assert rest == b""
        connection.close()
        for each in descriptors:
            os.close(each)  # nobody answers any more: ENOSYS
        return json.loads(text), len(descriptors)


def test_create_and_exec_tell_the_agent(berth, probe, tmp_path):
    agent = Agent(tmp_path / "agent")
    profile = allow_but({"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}, listenerPath=agent.path, listenerMetadata="meta")
    bundle = probing(berth, probe, profile, ["call", GETPPID],
                     change=lambda config: config["process"].update(args=["sh", "-c", "read line"]))
    never, input_end = os.pipe()
    berth.open_ends.append(input_end)
    container = berth.new_id()
    berth.ok("create", "-b", bundle, container, stdin=never)
    os.close(never)
    told, descriptors = agent.hear()
    pid = berth.state(container)["pid"]
    assert descriptors == 1 and told["fds"] == ["seccompFd"] and told["metadata"] == "meta"
    assert told["pid"] == told["state"]["pid"] == pid and told["state"]["status"] == "creating"
    assert told["ociVersion"] and told["state"]["id"] == container and told["state"]["bundle"] == str(bundle)
    berth.ok("start", container)
    for _ in range(2):
        words_of_exec = berth.command("exec", container, "/probe/probe", "path", str(MKDIR))
        with subprocess.Popen(words_of_exec, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
            told, descriptors = agent.hear()
            assert process.stdout.read() == f"failed {errno.ENOSYS}\n"
        assert descriptors == 1 and told["fds"] == ["seccompFd"] and told["metadata"] == "meta"
        assert told["state"]["status"] == "running" and told["state"]["pid"] == pid and told["pid"] not in (0, pid)


def test_agent_is_not_asked_without_notify(berth, probe, tmp_path):
    """A listenerPath alone is nothing to connect to."""
    profile = allow_but(*NO_MKDIR, listenerPath=str(tmp_path / "nobody"))
    assert answers(berth, probe, profile, ["path", MKDIR]) == ["failed 1"]


def test_a_lost_agent_fails_the_container(berth, probe, tmp_path):
    profile = allow_but({"names": ["mkdir"], "action": "SCMP_ACT_NOTIFY"}, listenerPath=str(tmp_path / "nobody"))
    container = berth.new_id()
    told = berth.fails("run", "-b", probing(berth, probe, profile, ["path", MKDIR]), container)
    assert "nobody" in told and "does not exist" in berth.fails("state", container)


def test_flags(berth, probe):
    """SPEC_ALLOW, which is the default, leaves out a mitigation; where the kernel ties it to filters
    (spec_store_bypass_disable=seccomp, the default before Linux 5.16), its absence can be seen."""
    def mitigation(**flags):
        bundle = probing(berth, probe, allow_but(*NO_MKDIR, **flags), ["call", GETPPID],
                         change=lambda config: config["process"].update(args=["cat", "/proc/self/status"]))
        lines = dict(line.split(":", 1) for line in berth.ok("run", "-b", bundle, berth.new_id()).splitlines())
        assert lines["Seccomp"].strip() == "2" and lines["Seccomp_filters"].strip() == "1"
        return lines["Speculation_Store_Bypass"].strip()

    allow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW"
    every = ["SECCOMP_FILTER_FLAG_LOG", allow, "SECCOMP_FILTER_FLAG_TSYNC"]
    by_default = mitigation()
    assert mitigation(flags=every) == mitigation(flags=[allow]) == by_default
    known = pathlib.Path("/sys/devices/system/cpu/vulnerabilities/spec_store_bypass")
    tied = known.exists() and "seccomp" in known.read_text()
    assert mitigation(flags=[]) == ("thread force mitigated" if tied else by_default)


def test_trace_takes_more_than_an_errno(berth, probe):
    """The tracer gets the number: 16 bits of it."""
    profile = allow_but(rule("getpgid", "TRACE", errnoRet=65535))
    assert answers(berth, probe, profile, ["call", GETPGID]) == [f"failed {errno.ENOSYS}"]


@pytest.mark.parametrize("part, pointer", [
    ({"defaultAction": "SCMP_ACT_NOTIFY"}, "/linux/seccomp/defaultAction"),
    ({"defaultAction": "SCMP_ACT_ALLOW", "defaultErrnoRet": 1}, "/linux/seccomp/defaultErrnoRet"),
    ({"architectures": ["SCMP_ARCH_Z80"]}, "/linux/seccomp/architectures/0"),
    ({"flags": ["SECCOMP_FILTER_FLAG_X"]}, "/linux/seccomp/flags/0"),
    ({"syscalls": [rule("mkdir", "ERRNO", arg(6, "EQ", 1))]}, "/linux/seccomp/syscalls/0/args/0/index"),
    ({"syscalls": [rule("mkdir", "ERRNO", errnoRet=4096)]}, "/linux/seccomp/syscalls/0/errnoRet"),
    ({"syscalls": [rule("mkdir", "ALLOW", errnoRet=1)]}, "/linux/seccomp/syscalls/0/errnoRet"),
    ({"syscalls": [rule("mkdir", "NOTIFY")]}, "/linux/seccomp/syscalls/0/action"),
    ({"listenerMetadata": "x"}, "/linux/seccomp/listenerMetadata")])
def test_refused(berth, probe, part, pointer):
    profile = {"defaultAction": "SCMP_ACT_ERRNO", "syscalls": []} | part
    assert pointer in berth.fails("run", "-b", probing(berth, probe, profile, ["call", GETPPID]), berth.new_id())


ALLOW, ERRNO_DATA = 0x7fff0000, 0x00050000
LOAD_NUMBER = (0x20, 0, 0, 0)


def raw(*instructions):
    """The annotation that adds this program."""
    code = b"".join(struct.pack("=HBBI", *each) for each in instructions)
    return {"run.oci.seccomp_bpf_data": base64.b64encode(code).decode()}


def refusing(number, answer):
    return raw(LOAD_NUMBER, (0x15, 0, 1, number), (6, 0, 0, answer), (6, 0, 0, ALLOW))


def annotated(annotations):
    def change(config):
        config["annotations"] = annotations
    return change


def test_raw_filter(berth, probe):
    calls = (["call", GETPGID], ["call", GETPPID])
    change = annotated(refusing(GETPGID, ERRNO_DATA | 18))
    assert answers(berth, probe, None, *calls, change=change) == ["failed 18", "done 0"]


def test_raw_filter_cannot_allow_what_the_profile_refuses(berth, probe):
    """An image's annotation must not widen the sandbox."""
    calls = (["path", MKDIR], ["call", GETPGID])
    change = annotated(refusing(GETPGID, ERRNO_DATA | 18))
    assert answers(berth, probe, allow_but(*NO_MKDIR), *calls, change=change) == ["failed 1", "failed 18"]


def test_raw_filter_is_in_force_for_exec(berth, probe):
    def change(config):
        config["annotations"] = refusing(GETPGID, ERRNO_DATA | 18)
        config["process"]["args"] = ["sh", "-c", "read line"]

    container = berth.new_id()
    never, input_end = os.pipe()
    berth.open_ends.append(input_end)
    berth.ok("run", "-d", "-b", probing(berth, probe, None, ["call", GETPPID], change=change), container, stdin=never)
    os.close(never)
    assert berth.ok("exec", container, "/probe/probe", "call", str(GETPGID)) == "failed 18\n"


@pytest.mark.parametrize("annotations", [{"run.oci.seccomp_bpf_data": "BgAAAAAA/3"}, raw((6, 0, 0, ALLOW), (0xffff, 0, 0, 0)),
                                         raw()], ids=["cut", "invalid", "empty"])
def test_raw_filter_is_refused(berth, probe, annotations):
    bundle = probing(berth, probe, None, ["call", GETPPID], change=annotated(annotations))
    container = berth.new_id()
    assert "/annotations/run.oci.seccomp_bpf_data" in berth.fails("run", "-b", bundle, container)
    assert "does not exist" in berth.fails("state", container)
