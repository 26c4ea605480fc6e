# SPDX-License-Identifier: Apache-2.0
"""Limits: what the engine asked for is in the container's cgroup, and holds."""
import os

import pytest

from engine import IMAGE

V2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")


@pytest.fixture
def limited(engine):
    def start(*options):
        container = engine.start(*options, IMAGE, "sleep", "1000")
        return lambda controller, v1, v2: engine.cgroup(container, controller, v2 if V2 else v1)
    return start


def test_memory(limited):
    value = limited("--memory", "64m")
    assert value("memory", "memory.limit_in_bytes", "memory.max") == str(64 << 20)


def test_memory_reservation(limited):
    value = limited("--memory", "64m", "--memory-reservation", "32m")
    assert value("memory", "memory.soft_limit_in_bytes", "memory.low") == str(32 << 20)


def test_out_of_memory_is_told(engine):
    container = engine.start("--memory", "16m", IMAGE, "sh", "-c", "head -c 100000000 /dev/zero | tail -c 90000000 | wc -c; "
                             "exec tail -c 90000000 /dev/zero")
    assert engine.must("wait", container) == "137"
    if engine.name == "docker":  # conmon 2.1.6 does not see it on cgroup v1, with any runtime
        assert engine.inspect(container, "{{.State.OOMKilled}}") == "true"


def test_processes(limited):
    assert limited("--pids-limit", "17")("pids", "pids.max", "pids.max") == "17"


def test_process_limit_holds(engine):
    done = engine.run("--pids-limit", "8", IMAGE, "sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 100 & done; echo all")
    assert done.returncode != 0 and "can't fork" in done.stderr


def test_processors(limited):
    value = limited("--cpus", "0.5")
    if V2:
        assert value("cpu", "", "cpu.max") == "50000 100000"
    else:
        assert value("cpu", "cpu.cfs_quota_us", "") == "50000"
        assert value("cpu", "cpu.cfs_period_us", "") == "100000"


def test_shares(limited):
    assert limited("--cpu-shares", "512")("cpu", "cpu.shares", "cpu.weight") == ("59" if V2 else "512")


def test_set_of_processors(limited):
    assert limited("--cpuset-cpus", "0")("cpuset", "cpuset.cpus", "cpuset.cpus") == "0"


def test_resource_limit(engine):
    assert engine.output("--ulimit", "nofile=300:400", "--ulimit", "nproc=4096:4096", IMAGE, "sh", "-c", "ulimit -Sn; ulimit -Hn") == "300\n400"


def test_sysctl(engine):
    assert engine.output("--sysctl", "kernel.msgmax=9000", IMAGE, "cat", "/proc/sys/kernel/msgmax") == "9000"


def test_update(docker):
    """Podman gets its update with 4.4."""
    container = docker.start("--memory", "64m", "--memory-swap", "64m", IMAGE, "sleep", "1000")
    docker.must("update", "--memory", "48m", "--memory-swap", "48m", "--pids-limit", "33", container)
    assert docker.cgroup(container, "memory", "memory.max" if V2 else "memory.limit_in_bytes") == str(48 << 20)
    assert docker.cgroup(container, "pids", "pids.max") == "33"
