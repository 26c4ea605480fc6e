# SPDX-License-Identifier: Apache-2.0
"""What /mounts, /linux and /hooks of config.json ask for, seen from inside the container or by the hook."""
import json
import os
import socket
import subprocess

import pytest

from machine import any_ids, chooses_cgroup, makes_nodes, needs_cgroup, needs_controllers
from shapes import SHAPE

HOOKS = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


def run(berth, *words, change=None, linux=None, **process):
    """change is called with the whole configuration; linux replaces members of /linux."""
    bundle = berth.bundle(*words, **process)
    config = berth.read_config(bundle)
    config["linux"] |= linux or {}
    if change:
        change(config)
    berth.write_config(bundle, config)
    return berth.ok("run", "-b", bundle, berth.new_id())


def mounts(*more):
    def change(config):
        config["mounts"] += more
    return change


def options_at(target, text):
    """Options of the last mount there, from mountinfo."""
    lines = [line.split() for line in text.splitlines() if " - " in line]
    return [set(words[5].split(",")) for words in lines if words[4] == target][-1]


def test_bind_mount(berth, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").write_text("of the host\n")
    bind = {"source": str(source), "destination": "/tmp", "type": "bind", "options": ["rbind", "ro", "nosuid"]}
    text = run(berth, "sh", "-c", "cat /tmp/file /proc/self/mountinfo", change=mounts(bind))
    assert text.startswith("of the host") and {"ro", "nosuid"} <= options_at("/tmp", text)


def test_tmpfs_mount(berth):
    wanted = {"source": "x", "destination": "/tmp", "type": "tmpfs", "options": ["noexec", "size=64k", "mode=700"]}
    text = run(berth, "cat", "/proc/self/mountinfo", change=mounts(wanted))
    assert "noexec" in options_at("/tmp", text) and "size=64k" in text and "mode=700" in text


def test_namespaces_are_new(berth):
    kinds = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt", "cgroup": "cgroup"}
    namespaces = [{"type": kind} for kind in kinds]
    words = [f"/proc/self/ns/{name}" for name in kinds.values()]
    script = "; ".join(f"readlink {word}" for word in words)
    inside = run(berth, "sh", "-c", script, linux={"namespaces": namespaces}).split()
    outside = [os.readlink(word) for word in words]
    assert len(inside) == 6 and not set(inside) & set(outside)


def test_namespace_by_path(berth):
    """An ordinary user gets into what belongs to a user namespace of theirs by way of that."""
    pid = berth.state(berth.running())["pid"]
    path = f"/proc/{pid}/ns/uts"
    namespaces = [{"type": kind} for kind in ("mount", "pid", "ipc", "network")] + [{"type": "uts", "path": path}]
    if SHAPE == "rootless":
        namespaces.append({"type": "user", "path": f"/proc/{pid}/ns/user"})

    def change(config):
        del config["hostname"]

    inside = run(berth, "readlink", "/proc/self/ns/uts", linux={"namespaces": namespaces}, change=change)
    assert inside.strip() == os.readlink(path)


@any_ids
def test_user_namespace_and_maps(berth):
    namespaces = [{"type": kind} for kind in ("mount", "pid", "ipc", "uts", "user")]
    maps = [{"containerID": 0, "hostID": 100000, "size": 1000}]

    def change(config):
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] in ("proc", "tmpfs")]

    text = run(berth, "cat", "/proc/self/uid_map", "/proc/self/gid_map", change=change,
               linux={"namespaces": namespaces, "uidMappings": maps, "gidMappings": maps})
    assert text.split() == ["0", "100000", "1000"] * 2


def test_time_offsets(berth):
    namespaces = [{"type": kind} for kind in ("mount", "pid", "ipc", "network", "time")]
    offsets = {"monotonic": {"secs": 1000, "nanosecs": 5}, "boottime": {"secs": 2000}}

    def change(config):
        del config["hostname"]

    text = run(berth, "cat", "/proc/self/timens_offsets", change=change,
               linux={"namespaces": namespaces, "timeOffsets": offsets})
    assert text.split() == ["monotonic", "1000", "5", "boottime", "2000", "0"]


@makes_nodes
def test_devices(berth):
    devices = [{"path": "/dev/mine", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 3, "gid": 4},
               {"path": "/dev/pipe", "type": "p"}]
    text = run(berth, "sh", "-c", "ls -ln /dev/mine /dev/pipe", linux={"devices": devices})
    mine, pipe = (line.split() for line in text.splitlines())
    assert mine[:6] == ["crw-r-----", "1", "3", "4", "1,", "5"] and pipe[0].startswith("p")


def test_sysctl(berth):
    assert run(berth, "cat", "/proc/sys/kernel/msgmax", linux={"sysctl": {"kernel.msgmax": "4321"}}) == "4321\n"


def test_masked_and_readonly_paths(berth):
    text = run(berth, "sh", "-c", "wc -c < /etc/passwd; cat /proc/self/mountinfo",
               linux={"maskedPaths": ["/etc/passwd"], "readonlyPaths": ["/proc/sys"]})
    assert text.startswith("0\n") and "ro" in options_at("/proc/sys", text)


@pytest.mark.parametrize("masked", [["/etc/passwd"], ["/etc/passwd", "/etc/group"], ["/etc/passwd", "/tmp", "/etc/group"],
                                    ["/tmp", "/etc/passwd"]], ids=str)
def test_masks_of_any_order(berth, masked):
    """What they show comes from one detached filesystem, from which older kernels clone nothing."""
    text = run(berth, "sh", "-c", "pwd; cat /etc/passwd; ls /tmp; cat /proc/self/mountinfo",
               linux={"maskedPaths": masked, "readonlyPaths": []})
    places = [line.split()[4] for line in text.splitlines() if " - " in line]
    assert text.startswith("/\n") and places.count("/") == 1 and set(masked) <= set(places)


@pytest.mark.parametrize("wanted, tags", [("private", set()), ("slave", set()), ("shared", {"shared"}),
                                          ("unbindable", {"unbindable"})])
def test_rootfs_propagation(berth, wanted, tags):
    text = run(berth, "cat", "/proc/self/mountinfo", linux={"rootfsPropagation": wanted})
    root = next(line for line in text.splitlines() if line.split()[4] == "/")
    found = {word.partition(":")[0] for word in root.partition(" - ")[0].split()[6:]}
    assert found - {"propagate_from", "master"} == tags  # a slave of a private mount has no master


def test_personality(berth):
    assert run(berth, "cat", "/proc/self/personality", linux={"personality": {"domain": "LINUX32"}}) == "00000008\n"


def test_personality_has_no_flags(berth):
    """None are defined."""
    bundle = berth.bundle()
    config = berth.read_config(bundle)
    config["linux"]["personality"] = {"domain": "LINUX", "flags": ["ADDR_NO_RANDOMIZE"]}
    berth.write_config(bundle, config)
    assert "/linux/personality/flags" in berth.fails("run", "-b", bundle, berth.new_id())


def test_seccomp(berth):
    profile = {"defaultAction": "SCMP_ACT_ALLOW",
               "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 18}]}
    text = run(berth, "sh", "-c", "busybox mkdir /tmp/x 2>&1; grep Seccomp: /proc/self/status || cat /proc/self/status",
               linux={"seccomp": profile})
    assert "Invalid cross-device link" in text and "Seccomp:\t2" in text


def test_seccomp_agent_gets_the_listener(berth, tmp_path):
    agent = socket.socket(socket.AF_UNIX)
    agent.bind(str(tmp_path / "agent"))
    agent.listen(1)
    agent.settimeout(30)
    bundle = berth.bundle("busybox", "mkdir", "/tmp/x")
    config = berth.read_config(bundle)
    config["linux"]["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": str(tmp_path / "agent"), "listenerMetadata": "meta",
        "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_NOTIFY"}]}
    berth.write_config(bundle, config)
    container = berth.new_id()
    with agent, subprocess.Popen(berth.command("run", "-b", bundle, container), stderr=subprocess.PIPE) as process:
        connection, _ = agent.accept()
        text, descriptors, _, _ = socket.recv_fds(connection, 65536, 4)
        told = json.loads(text)
        assert told["fds"] == ["seccompFd"] and told["metadata"] == "meta" and told["state"]["id"] == container
        assert len(descriptors) == 1
        os.close(descriptors[0])  # nobody answers any more: ENOSYS
        connection.close()
        assert b"Function not implemented" in process.stderr.read()


@needs_cgroup
@chooses_cgroup
@needs_controllers
def test_cgroup_path_and_limit(berth):
    container = berth.new_id()
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"] |= {"cgroupsPath": f"/{container}/below", "resources": {"pids": {"limit": 77}}}
    berth.write_config(bundle, config)
    berth.ok("create", "-b", bundle, container)
    with open(f"/proc/{berth.state(container)['pid']}/cgroup", encoding="utf-8") as file:
        assert f"/{container}/below" in file.read()
    assert json.loads(berth.ok("events", "--stats", container))["data"]["pids"]["limit"] == 77
    berth.ok("delete", "--force", container)
    for folder, below, _ in os.walk("/sys/fs/cgroup"):
        if container in below:
            os.rmdir(os.path.join(folder, container))


@pytest.fixture
def recorder(tmp_path, rootfs):
    """A hook that writes what it was given to a file of the host."""
    script = tmp_path / "hook"
    script.write_text("#!/bin/sh\n(echo \"$@ $X\"; cat; echo) >> \"$LOG\"\n")
    script.chmod(0o755)
    return script


def test_hooks_in_order_with_the_state(berth, recorder, tmp_path):
    log = tmp_path / "log"
    log.touch()
    log.chmod(0o666)
    host = [name for name in HOOKS if name != "startContainer"]
    bundle = berth.bundle("true")
    config = berth.read_config(bundle) | {"annotations": {"a": "1"}}
    config["hooks"] = {name: [{"path": str(recorder), "args": ["hook", name], "timeout": 10,
                               "env": [f"LOG={log}", "X=of-env", "PATH=/bin:/usr/bin"]}] for name in host}
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "-b", bundle, container)
    lines = [line for line in log.read_text().splitlines() if line]
    assert lines[::2] == [f"{name} of-env" for name in host]
    states = [json.loads(line) for line in lines[1::2]]
    assert all(state["id"] == container and state["annotations"] == {"a": "1"} for state in states)
    assert [state["status"] for state in states] == ["creating"] * 3 + ["running", "stopped"]


def test_start_container_hook_runs_inside(berth):
    def change(config):
        config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", "readlink /proc/self/ns/uts"]}]}
    text = run(berth, "readlink", "/proc/self/ns/uts", change=change).split()
    assert len(set(text)) == 1


@pytest.mark.parametrize("name", ["prestart", "createRuntime", "createContainer", "startContainer"])
def test_failed_hook_fails_the_container(berth, name):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["hooks"] = {name: [{"path": "/bin/sh", "args": ["sh", "-c", "exit 3"]}]}
    berth.write_config(bundle, config)
    assert f"/hooks/{name}/0" in berth.fails("run", "-b", bundle, berth.new_id())


def test_hook_that_takes_too_long(berth):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["hooks"] = {"createRuntime": [{"path": "/bin/sleep", "args": ["sleep", "100"], "timeout": 1}]}
    berth.write_config(bundle, config)
    assert "did not end within 1 s" in berth.fails("run", "-b", bundle, berth.new_id())


@pytest.mark.skipif(" - resctrl " in open("/proc/self/mountinfo", encoding="utf-8").read(), reason="there is resctrl")
@pytest.mark.parametrize("wanted", [{}, {"closID": "x"}, {"l3CacheSchema": "L3:0=f", "enableMonitoring": True}])
def test_class_of_service_without_resctrl(berth, wanted):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    config["linux"]["intelRdt"] = wanted
    berth.write_config(bundle, config)
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert "/linux/intelRdt" in told and "no resctrl filesystem is mounted" in told
