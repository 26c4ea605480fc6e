# SPDX-License-Identifier: Apache-2.0
"""Capabilities, seccomp, masks and namespaces as the engines ask for them."""
import os

import pytest

from engine import IMAGE

CHOWN, NET_RAW, SYS_ADMIN = 0, 13, 21


def capabilities(engine, *options, kind="CapEff"):
    return int(engine.output(*options, IMAGE, "grep", kind, "/proc/self/status").split()[1], 16)


def test_default_capabilities(engine):
    given = capabilities(engine)
    assert given & 1 << CHOWN and not given & 1 << SYS_ADMIN
    assert capabilities(engine, kind="CapBnd") == given


def test_capability_added_and_dropped(engine):
    assert capabilities(engine, "--cap-add", "SYS_ADMIN") & 1 << SYS_ADMIN
    assert not capabilities(engine, "--cap-drop", "CHOWN") & 1 << CHOWN
    assert capabilities(engine, "--cap-drop", "ALL") == 0
    assert capabilities(engine, "--cap-drop", "ALL", "--cap-add", "CHOWN") == 1 << CHOWN


def test_no_new_privileges(engine):
    ask = (IMAGE, "grep", "NoNewPrivs", "/proc/self/status")
    assert engine.output("--security-opt", "no-new-privileges", *ask).split()[1] == "1"
    assert engine.output(*ask).split()[1] == "0"


def test_default_seccomp_filter(engine):
    assert engine.output(IMAGE, "grep", "Seccomp:", "/proc/self/status").split()[1] == "2"
    done = engine.run(IMAGE, "unshare", "-m", "true")
    assert done.returncode == 1 and "Operation not permitted" in done.stderr


def test_no_seccomp_filter(engine):
    ask = (IMAGE, "grep", "Seccomp:", "/proc/self/status")
    assert engine.output("--security-opt", "seccomp=unconfined", *ask).split()[1] == "0"


def test_own_seccomp_profile(engine, folder):
    (profile := folder / "profile.json").write_text(
        '{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}')
    done = engine.run("--security-opt", f"seccomp={profile}", IMAGE, "mkdir", "/tmp/refused")
    assert done.returncode == 1 and "Operation not permitted" in done.stderr


def test_masked_and_read_only_paths(engine):
    assert engine.output(IMAGE, "sh", "-c", "wc -c </proc/keys; ls /sys/firmware | wc -l") == "0\n0"
    assert engine.run(IMAGE, "sh", "-c", "echo 1 >/proc/sys/kernel/panic").returncode == 1
    assert engine.run(IMAGE, "sh", "-c", "echo b >/proc/sysrq-trigger").returncode == 1


def test_privileged(engine):
    shown = engine.output("--privileged", IMAGE, "sh", "-c",
                          "mount -t tmpfs none /tmp && echo mounted; grep Seccomp: /proc/self/status; ls /dev | wc -l")
    lines = shown.split()
    assert lines[0] == "mounted" and lines[2] == "0" and int(lines[3]) > 15
    assert capabilities(engine, "--privileged") & 1 << SYS_ADMIN


def namespace(who, kind):
    return os.readlink(f"/proc/{who}/ns/{kind}")


@pytest.mark.parametrize("kind", ["mnt", "pid", "ipc", "uts", "net"])
def test_own_namespaces(engine, kind):
    container = engine.start(IMAGE, "sleep", "1000")
    assert namespace(engine.pid(container), kind) != namespace("self", kind)


@pytest.mark.parametrize("kind", ["pid", "ipc", "uts"])
def test_namespace_of_the_host(engine, kind):
    container = engine.start(f"--{kind}=host", IMAGE, "sleep", "1000")
    assert namespace(engine.pid(container), kind) == namespace("self", kind)


def test_network_of_the_host(engine):
    container = engine.start(IMAGE, "sleep", "1000", network="host")
    assert namespace(engine.pid(container), "net") == namespace("self", "net")


def test_network_of_another_container(engine):
    first = engine.start(IMAGE, "sleep", "1000")
    second = engine.start(IMAGE, "sleep", "1000", network=f"container:{first}")
    assert namespace(engine.pid(second), "net") == namespace(engine.pid(first), "net")
    engine.must("rm", "--force", second)


def test_processes_and_memory_of_another_container(engine):
    first = engine.start("--ipc=shareable", IMAGE, "sleep", "1000")
    second = engine.start(f"--pid=container:{first}", f"--ipc=container:{first}", IMAGE, "sleep", "2000")
    for kind in ("pid", "ipc"):
        assert namespace(engine.pid(second), kind) == namespace(engine.pid(first), kind)
    assert "sleep 1000" in engine.must("exec", second, "ps")
    engine.must("rm", "--force", second)
    assert engine.status(first) == "running"


def test_only_a_loopback_without_network(engine):
    assert engine.output(IMAGE, "ls", "/sys/class/net") == "lo"
    assert engine.output(IMAGE, "ping", "-c", "1", "-w", "5", "127.0.0.1").count("1 packets received") == 1


def test_own_pid_one(engine):
    assert engine.output(IMAGE, "sh", "-c", "echo $$") == "1"


def test_container_sees_its_own_cgroup_only(engine):
    assert engine.output("--cgroupns=private", IMAGE, "sh", "-c", "cut -d: -f3 /proc/self/cgroup | sort -u") == "/"
