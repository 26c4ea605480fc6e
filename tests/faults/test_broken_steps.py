# SPDX-License-Identifier: Apache-2.0
"""Each step broken from outside, by the config or its surroundings: the error names the place, and nothing is left."""
import json
import os
import pathlib
import socket
import subprocess

import pytest
from changes import join, linux, process

HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart")


def mount(**member):
    def change(config):
        config["mounts"].append({"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"} | member)
    return change


def map_all(config):
    config["linux"]["namespaces"].append({"type": "user"})
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [
        {"containerID": 0, "hostID": 0, "size": 10}, {"containerID": 5, "hostID": 100, "size": 10}]


def unmapped_user(config):
    map_all(config)
    config["linux"]["uidMappings"] = config["linux"]["gidMappings"] = [{"containerID": 0, "hostID": 1000, "size": 10}]
    config["process"]["user"] = {"uid": 4000, "gid": 0}


def root(path):
    return lambda config: config["root"].update(path=path)


KILL_SETUP = {"defaultAction": "SCMP_ACT_ALLOW",
              "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_ERRNO", "errnoRet": 5}]}
DEADLY = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS"}]}

# name: (the change, words that the error holds)
BROKEN = {
    "mount source": (mount(type="bind", source="/no/such", options=["bind"]), ("/mounts/", "/no/such")),
    "mount option": (mount(options=["size=moon"]), ("/mounts/", "size")),
    "mount type": (mount(type="moonfs"), ("/mounts/", "moonfs")),
    "mount point is a file": (mount(destination="/etc/passwd"), ("/mounts/",)),
    "mount point below a file": (mount(destination="/etc/passwd/x"), ("/mounts/",)),
    "device below a file": (linux(devices=[{"path": "/dev/null/x", "type": "c", "major": 1, "minor": 3}]),
                            ("/linux/devices/0",)),
    "device path is another file": (linux(devices=[{"path": "/etc/passwd", "type": "c", "major": 1, "minor": 3}]),
                                    ("/linux/devices/0", "/etc/passwd")),
    "limit above what is allowed": (process(rlimits=[{"type": "RLIMIT_NOFILE", "hard": 1 << 40, "soft": 8}]),
                                    ("/process/rlimits/0",)),
    "namespace path": (join("network", "/no/such"), ("/linux/namespaces/", "/no/such")),
    "namespace of another kind": (join("network", "/proc/self/ns/uts"), ("/linux/namespaces/",)),
    "namespace path is a file": (join("ipc", "/etc/passwd"), ("/linux/namespaces/",)),
    "id map": (map_all, ("Mappings",)),
    "user without a map": (unmapped_user, ("/process/user",)),
    "sysctl": (linux(sysctl={"net.no.such": "1"}), ("/linux/sysctl", "no")),
    "sysctl value": (linux(sysctl={"kernel.shmmax": "moon"}), ("/linux/sysctl",)),
    "limit": (linux(resources={"cpu": {"quota": 1}}), ("/linux/resources/cpu",)),
    "cpuset": (linux(resources={"cpu": {"cpus": "4000"}}), ("/linux/resources/cpu",)),
    "working directory is a file": (process(cwd="/etc/passwd"), ("/process/cwd",)),
    "program": (process(args=["/no/such"]), ("/process/args", "/no/such")),
    "program is a directory": (process(args=["/etc"]), ("/process/args",)),
    "program without the right": (process(args=["/etc/passwd"]), ("/process/args",)),
    "seccomp refuses a call of init": (linux(seccomp=KILL_SETUP), ("exec",)),
    "seccomp kills init": (linux(seccomp=DEADLY), ("init",)),
    "rootfs": (root("/no/such"), ("/no/such",)),
    "rootfs is a file": (root("/etc/passwd"), ("/etc/passwd",)),
} | {f"hook {kind}": (lambda config, kind=kind: config.update(
    hooks={kind: [{"path": "/bin/true"}, {"path": "/bin/sh", "args": ["sh", "-c", "echo moon; exit 3"]}]}),
    (f"/hooks/{kind}/1", "3")) for kind in HOOKS
} | {f"slow hook {kind}": (lambda config, kind=kind: config.update(
    hooks={kind: [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}),
    (f"/hooks/{kind}/0",)) for kind in HOOKS}


@pytest.mark.parametrize("name", BROKEN)
def test_config(berth, name):
    change, words = BROKEN[name]
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    change(config)
    berth.write_config(bundle, config)
    told = berth.fails("run", "-b", bundle, berth.new_id(), timeout=20)
    for word in words:
        assert word in told
    berth.assert_clean()


@pytest.mark.parametrize("place", ("missing", "file", "long"))
def test_console_socket(berth, place):
    path = berth.folder / ("x" * 120 if place == "long" else "socket")
    if place == "file":
        path.write_text("")
    bundle = berth.bundle("true", terminal=True)
    assert berth.fails("create", "--console-socket", path, "-b", bundle, berth.new_id()).strip()
    berth.assert_clean()


def test_console_socket_that_nobody_reads_from(berth):
    path = berth.folder / "socket"
    bundle = berth.bundle("true", terminal=True)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
    assert berth.fails("create", "--console-socket", path, "-b", bundle, berth.new_id()).strip()
    berth.assert_clean()


def test_pid_file(berth):
    told = berth.fails("create", "--pid-file", "/no/such/pid", "-b", berth.bundle("true"), berth.new_id())
    assert "pid file" in told
    berth.assert_clean()


def test_cgroup_is_in_use(berth):
    other = berth.running()
    group = next(line.split(":", 2)[2] for line in
                 pathlib.Path(f"/proc/{berth.state(other)['pid']}/cgroup").read_text().splitlines() if "pids" in line)
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["cgroupsPath"] = group
    berth.write_config(bundle, config)
    assert "/linux/cgroupsPath" in berth.fails("create", "-b", bundle, berth.new_id())
    assert berth.state(other)["status"] == "running"


@pytest.mark.parametrize("kind", HOOKS)
def test_poststop_after_a_failed_hook(berth, kind):
    """It undoes what the hooks before the failed one have done."""
    mark = berth.folder / "mark"
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["hooks"] = {kind: [{"path": "/bin/false"}],
                       "poststop": [{"path": "/bin/sh", "args": ["sh", "-c", f"cat >{mark}"]}]}
    berth.write_config(bundle, config)
    berth.fails("run", "-b", bundle, berth.new_id())
    state = json.loads(mark.read_text())
    assert (state["id"], state["status"]) == (berth.ids[-1], "stopped")
    berth.assert_clean()


@pytest.fixture
def frozen_group(berth):
    """A cgroup of the freezer that is frozen and empty."""
    version1 = pathlib.Path("/sys/fs/cgroup/freezer")
    group = (version1 if version1.is_dir() else version1.parent) / f"{berth.prefix}-frozen"
    state, frozen, thawed = ("freezer.state", "FROZEN", "THAWED") if version1.is_dir() else ("cgroup.freeze", "1", "0")
    group.mkdir()
    (group / state).write_text(frozen)
    yield group
    (group / state).write_text(thawed)
    group.rmdir()


def test_cgroup_is_frozen(berth, frozen_group):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["cgroupsPath"] = f"/{frozen_group.name}"
    berth.write_config(bundle, config)
    for command in ("create", "run"):
        told = berth.fails(command, "-b", bundle, berth.new_id(), timeout=20)
        assert "/linux/cgroupsPath" in told and "container's cgroup unexpectedly frozen" in told
    left = [line for line in berth.leaks() if line != f"cgroup {frozen_group}"]
    assert left == [] and frozen_group.is_dir()


def hooked(berth, kind, *hooks):
    bundle = berth.bundle("sleep", "1000")
    config = berth.read_config(bundle)
    config["hooks"] = {kind: [{"path": "/bin/sh", "args": ["sh", "-c", script], **more} for script, more in hooks]}
    berth.write_config(bundle, config)
    return bundle


@pytest.mark.parametrize("script", ("exit 3", "sleep 1000"))
def test_poststart_fails_after_start(berth, script):
    """The container is stopped, and delete finds nothing to wait for."""
    container = berth.new_id()
    berth.ok("create", "-b", hooked(berth, "poststart", (script, {"timeout": 1})), container)
    assert "/hooks/poststart/0" in berth.fails("start", container, timeout=20)
    berth.wait_stopped(container)
    assert berth.state(container)["status"] == "stopped"
    berth.ok("delete", container)
    berth.assert_clean()


@pytest.mark.parametrize("script", ("exit 3", "sleep 1000"))
def test_poststop_fails(berth, script):
    """The container is deleted all the same, and the next hook has run."""
    mark = berth.folder / "mark"
    container = berth.new_id()
    berth.ok("create", "-b", hooked(berth, "poststop", (script, {"timeout": 1}), (f"echo stop >{mark}", {})), container)
    done = berth("delete", "--force", container, timeout=20)
    assert done.returncode == 0 and "/hooks/poststop/0" in done.stderr and "warning" in done.stderr
    assert mark.read_text() == "stop\n"
    berth.assert_clean()


@pytest.mark.parametrize("options", ("ro", "size=4k,nr_inodes=2"))
def test_state_root_takes_nothing(berth, options):
    berth.root.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", berth.root], check=True)
    try:
        assert berth.fails("create", "-b", berth.bundle("true"), berth.new_id()).strip()
        assert os.listdir(berth.root) == []
    finally:
        subprocess.run(["umount", berth.root], check=True)
    berth.assert_clean()


@pytest.mark.parametrize("limit", (4, 6, 8, 12, 16, 24))
def test_few_descriptors(berth, limit):
    """It works or it is refused with a word."""
    command = berth.command("run", "-b", berth.bundle("true"), berth.new_id())
    done = subprocess.run(["prlimit", f"--nofile={limit}:1024", *command], capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 0 or done.stderr.strip()
    berth("delete", "--force", berth.ids[-1])
    berth.assert_clean()
