# SPDX-License-Identifier: Apache-2.0
"""Each step of the two tables is broken: the log names that step, and nothing is left.

A step in ARCHITECTURE.md (which `./x lint docs` compares with the code) without a case here fails."""
import errno
import json
import os
import pathlib
import re
import signal
import subprocess

import pytest
from changes import join, linux, process
from injector import Injector, map_ids

ARCHITECTURE = pathlib.Path(__file__).resolve().parents[2] / "ARCHITECTURE.md"
TOO_LONG = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
    {"names": ["read"], "action": "SCMP_ACT_ERRNO", "args": [{"index": 0, "value": number, "op": "SCMP_CMP_EQ"}]}
    for number in range(3000)]}
NO_EXECVE = {"defaultAction": "SCMP_ACT_ALLOW",
             "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}


def hook(kind):
    return lambda config: config.update(hooks={kind: [{"path": "/bin/false"}]})


def no_root(config):
    """A user namespace whose root is nobody."""
    config["linux"]["namespaces"].append({"type": "user"})
    config["linux"]["uidMappings"] = [{"containerID": 5, "hostID": 100000, "size": 10}]
    config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 100000, "size": 10}]
    config["process"]["user"] = {"uid": 5, "gid": 0}


def late_clock(config):
    config["linux"]["namespaces"].append({"type": "time"})
    config["linux"]["timeOffsets"] = {"monotonic": {"secs": -(1 << 40)}}


def no_terminals(config):
    config["process"]["terminal"] = True
    config["mounts"] = [mount for mount in config["mounts"] if mount["destination"] != "/dev/pts"]


def raised_limit(config):
    map_ids(config)
    config["process"]["rlimits"] = [{"type": "RLIMIT_NOFILE", "hard": 1 << 40, "soft": 1 << 40}]


def root(path):
    return lambda config: config["root"].update(path=path)


HOST = {
    "CompileSeccomp": linux(seccomp=TOO_LONG),
    "OpenMountSources": join("network", "/no/such"),
    "LimitResources": linux(resources={"cpu": {"quota": 1}}),
    "ServeInit": hook("prestart"),
    "RecordState": raised_limit,
}
CHILD = {
    "JoinNamespaces": late_clock,
    "AwaitIds": no_root,
    "WriteSysctls": linux(sysctl={"kernel.shmmax": "moon"}),
    "LimitProcess": linux(memoryPolicy={"mode": "MPOL_BIND", "nodes": "1023"}),
    "IsolateMounts": root("/etc/passwd"),
    "MountFilesystems": lambda config: config["mounts"].append({"destination": "/tmp", "type": "moonfs", "source": "x"}),
    "MakeDevices": linux(devices=[{"path": "/etc/passwd", "type": "c", "major": 1, "minor": 3}]),
    "RunCreateHooks": hook("createContainer"),
    "EnterRootfs": process(cwd="/etc/passwd/below"),
    "OpenTerminal": no_terminals,
    "FinishRootfs": linux(maskedPaths=["/" + "x" * 300]),
    "ConfineProcess": lambda config: config.update(annotations={"run.berth.landlock.read": "/no/such"}),
    "DropPrivileges": process(cwd="/etc/passwd"),
    "FindExecutable": process(args=["/no/such"]),
    "RunStartHooks": hook("startContainer"),
    "ExecProcess": linux(seccomp=NO_EXECVE),
}
# Broken by more than a config: a test below is named after each.
BY_HAND = {"ReserveState", "CreateCgroup", "CloneInit", "AwaitHost", "AwaitStart"}
# Nothing that a caller can do breaks them: their system calls are made to fail.
INJECTED = {"MakeNetwork", "CloseDescriptors", "JoinCgroup", "StartSession", "BringUpNetwork", "SetHostname",
            "LoadSeccomp"}
# Of cgroup v2 only.
INJECTED_ON_V2 = {"LimitDevices"}


def steps(file):
    part = ARCHITECTURE.read_text().split(f"<!-- steps: {file}")[1].split("\n\n")[1]
    return set(re.findall(r"^\| (\w+) \|", part, flags=re.M))


def words_of(step):
    """As the log has it: "MountFilesystems" is "mount filesystems"."""
    return re.sub(r"(?<!^)([A-Z])", r" \1", step).lower()


def broken(berth, change, *words):
    """The log line of a berth that has failed."""
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    change(config)
    berth.write_config(bundle, config)
    log = berth.folder / "log"
    berth.fails("--log", log, "--log-format=json", "run", *words, "-b", bundle, berth.new_id(), timeout=30)
    berth.assert_clean(log.read_text())
    return json.loads(log.read_text())


def test_each_step_has_a_case():
    host, child = steps("src/engine/create.cc"), steps("src/init/run_init.cc")
    assert "CreateCgroup" in host and "ExecProcess" in child
    assert host | child == HOST.keys() | CHILD.keys() | BY_HAND | INJECTED | INJECTED_ON_V2
    for step in BY_HAND:
        assert f"test_{words_of(step).replace(' ', '_')}" in globals()


@pytest.mark.parametrize("step", HOST.keys() | CHILD.keys())
def test_broken_by_its_config(berth, step):
    line = broken(berth, HOST.get(step) or CHILD[step])
    assert line["step"] == words_of(step), line


def steps_that_fail(berth, inject):
    """Each state-changing call of create fails in turn: the steps that say so."""
    container = berth.new_id()
    points = inject("create", "-b", inject.bundle, container).points
    berth.ok("delete", "--force", container)
    log = berth.folder / "log"
    seen = set()
    for number in range(1, points + 1):
        result = inject("--log", log, "--log-format=json", "create", "-b", inject.bundle, container, at=number,
                        fault=errno.EIO)
        assert not result.hung, result
        if result.status != 0 and log.exists():
            seen.add(json.loads(log.read_text().splitlines()[-1]).get("step"))
        log.unlink(missing_ok=True)
        berth("delete", "--force", container)
    berth.assert_clean()
    return seen


def assert_steps_fail(berth, inject, steps):
    """Host and init work side by side, so that one pass over the numbers may miss a call of either."""
    missing = {words_of(step) for step in steps}
    for _ in range(4):
        missing -= steps_that_fail(berth, inject)
        if not missing:
            return
    raise AssertionError(f"no call of these fails: {missing}")


def test_injected(berth, driver):
    assert_steps_fail(berth, Injector(berth, driver), INJECTED)


def test_injected_on_v2(berth, driver):
    """In a mount namespace with nothing but cgroup v2, as small a container as there is."""
    berth.before = ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                    'umount -R /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup && exec "$@"', "sh"]
    inject = Injector(berth, driver, lambda config: (config.pop("hooks"), config["linux"].pop("resources")))
    assert_steps_fail(berth, inject, INJECTED_ON_V2)


def test_descriptor_that_is_not_open(berth):
    line = broken(berth, lambda config: None, "--preserve-fds", "7")
    assert "is not open" in line["msg"]


def test_reserve_state(berth):
    berth.root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", berth.root], check=True)
    log = berth.folder / "log"
    try:
        berth.fails("--log", log, "--log-format=json", "run", "-b", berth.bundle("true"), berth.new_id())
        assert json.loads(log.read_text())["step"] == "reserve state"
    finally:
        subprocess.run(["umount", berth.root], check=True)
    berth.assert_clean()


def test_create_cgroup(berth):
    group = pathlib.Path("/sys/fs/cgroup/pids")
    group = (group if group.is_dir() else group.parent) / f"{berth.prefix}-used"
    group.mkdir()
    log = berth.folder / "log"
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["cgroupsPath"] = f"/{group.name}"
    berth.write_config(bundle, config)
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as member:  # ends with this block
        (group / "cgroup.procs").write_text(str(member.pid))
        done = berth("--log", log, "--log-format=json", "run", "-b", bundle, berth.new_id())
    group.rmdir()
    assert done.returncode == 1 and json.loads(log.read_text())["step"] == "create cgroup"
    berth.assert_clean()


def test_clone_init(berth):
    """Into a pid namespace whose first process has ended, nobody can be cloned."""
    with subprocess.Popen(["unshare", "--pid", "--fork", "sh", "-c", "echo; read line"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE) as owner:
        owner.stdout.readline()
        namespace = os.open(f"/proc/{owner.pid}/ns/pid_for_children", os.O_RDONLY)
    line = broken(berth, join("pid", f"/proc/{os.getpid()}/fd/{namespace}"))
    os.close(namespace)
    assert line["step"] == "clone init", line


def test_await_host(berth):
    """The host is killed while init waits for it: init ends by itself, and delete finds the rest."""
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "kill -9 $PPID"]}]}
    berth.write_config(bundle, config)
    container = berth.new_id()
    assert berth("create", "-b", bundle, container).returncode == -signal.SIGKILL
    assert [line for line in berth.leaks() if line.startswith("process ")] == []
    berth.ok("delete", "--force", container)
    berth.assert_clean()


def test_await_start(berth):
    """init is killed while it waits at the start gate."""
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    os.kill(berth.state(container)["pid"], signal.SIGKILL)
    berth.wait_stopped(container)
    assert "has stopped" in berth.fails("start", container)
    berth.ok("delete", container)
    berth.assert_clean()
