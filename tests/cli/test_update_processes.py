# SPDX-License-Identifier: Apache-2.0
"""update of what the kernel holds of processes: each of all processes and threads of the container, and of no other."""
import ctypes
import os
import pathlib
import platform
import resource
import subprocess

import pytest

from cgroup_files import folders
from machine import LIBC, as_root_only, needs_cgroup, needs_cpus, needs_realtime, needs_root
from test_priorities import DEADLINE, MILLISECOND, SCHED_GETATTR, scheduling

pytestmark = needs_cgroup

IOPRIO_GET = {"x86_64": 252, "aarch64": 31}[platform.machine()]
CHILDREN = "sleep 1000 & sleep 1000 &"


def members(berth, container):
    return [int(line) for line in berth.ok("ps", "--format=json", container).strip("[]\n ").split(",")]


def scheduling_of(pid):
    return scheduling(pathlib.Path(f"/proc/{pid}/stat").read_text())


def io_priority(pid):
    value = LIBC.syscall(IOPRIO_GET, 1, pid)
    return value >> 13, value & 7


@pytest.fixture
def container(berth):
    return berth.running(script="wait", first=CHILDREN)


def test_oom_score_adj(berth, container):
    berth.ok("update", "--oom-score-adj=345", container)
    found = members(berth, container)
    assert len(found) == 3
    for pid in found:
        assert pathlib.Path(f"/proc/{pid}/oom_score_adj").read_text() == "345\n"


@pytest.mark.parametrize("words,kind,value", [
    ("nofile=77:99", resource.RLIMIT_NOFILE, (77, 99)), ("RLIMIT_NOFILE=88", resource.RLIMIT_NOFILE, (88, 88)),
    ("core=0:unlimited", resource.RLIMIT_CORE, (0, resource.RLIM_INFINITY)),
    ("stack=65536:-1", resource.RLIMIT_STACK, (65536, resource.RLIM_INFINITY))])
def test_rlimits(berth, container, words, kind, value):
    pids = members(berth, container)
    if resource.prlimit(pids[0], kind)[1] < value[1]:
        pytest.skip("this machine's own limit is lower")
    berth.ok("update", f"--rlimit={words}", container)
    assert [resource.prlimit(pid, kind) for pid in pids] == [value] * 3


def test_several_rlimits_at_once(berth, container):
    berth.ok("update", "--rlimit=nofile=77", "--rlimit=fsize=4096:8192", container)
    pid = berth.state(container)["pid"]
    assert resource.prlimit(pid, resource.RLIMIT_NOFILE) == (77, 77)
    assert resource.prlimit(pid, resource.RLIMIT_FSIZE) == (4096, 8192)


@needs_cpus
def test_cpu_affinity(berth, container):
    berth.ok("update", "--cpu-affinity=1", container)
    assert [os.sched_getaffinity(pid) for pid in members(berth, container)] == [{1}] * 3
    assert "Cpus_allowed_list:\t1\n" in berth.ok("exec", container, "cat", "/proc/self/status")


def test_cpus_that_are_not_there(berth, container):
    pid = berth.state(container)["pid"]
    before = os.sched_getaffinity(pid)
    told = berth.fails("update", "--cpu-affinity=8000", container)
    assert "nothing was changed: set the CPUs of process" in told and "cpuset" in told
    assert os.sched_getaffinity(pid) == before


@pytest.mark.parametrize("words,value", [("be:6", (2, 6)), pytest.param("IOPRIO_CLASS_RT:3", (1, 3), marks=as_root_only),
                                         ("idle", (3, 0))])
def test_io_priority(berth, container, words, value):
    berth.ok("update", f"--io-priority={words}", container)
    assert [io_priority(pid) for pid in members(berth, container)] == [value] * 3


@pytest.mark.parametrize("words,seen", [pytest.param("other:-5", (-5, 0, 0), marks=as_root_only), ("SCHED_BATCH:19", (19, 0, 3)), ("idle", (0, 0, 5))])
def test_scheduler(berth, container, words, seen):
    berth.ok("update", f"--scheduler={words}", container)
    assert [scheduling_of(pid) for pid in members(berth, container)] == [seen] * 3


@needs_root
@needs_realtime
def test_realtime(berth, container):
    options = ["--cpu-rt-runtime=20000"] if os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us") else []
    if options:
        told = berth.fails("update", "--scheduler=fifo:7", container)
        assert "/process/scheduler" in told and "realtimeRuntime" in told
        assert scheduling_of(berth.state(container)["pid"]) == (0, 0, 0)
    berth.ok("update", *options, "--scheduler=fifo:7", container)
    assert [scheduling_of(pid)[1:] for pid in members(berth, container)] == [(7, 1)] * 3


@needs_root
def test_deadline(berth, container):
    berth.ok("update", "--scheduler=deadline:1ms:20ms:100ms", container)
    attributes = (ctypes.c_uint64 * 7)()
    assert LIBC.syscall(SCHED_GETATTR, berth.state(container)["pid"], attributes, 56, 0) == 0
    assert attributes[0] >> 32 == DEADLINE
    assert list(attributes[3:6]) == [time * MILLISECOND for time in (1, 20, 100)]
    berth.ok("update", "--scheduler=other", container)


def test_every_thread(berth, tmp_path):
    """A process of many threads that enters the container's cgroup, as one of exec does."""
    container = berth.running()
    threads = ("import threading, sys\nfor _ in range(5): threading.Thread(target=threading.Event().wait, daemon=True)"
               ".start()\nprint('ready', flush=True)\nsys.stdin.read()")
    with subprocess.Popen(["/usr/bin/python3", "-c", threads], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdout.readline() == b"ready\n"
        enter(berth.state(container)["pid"], program.pid)
        berth.ok("update", "--scheduler=batch:3", "--io-priority=be:6", "--cpu-affinity=0", container)
        tasks = os.listdir(f"/proc/{program.pid}/task")
        assert len(tasks) == 6
        for task in map(int, tasks):
            assert (scheduling_of(task), io_priority(task), os.sched_getaffinity(task)) == ((3, 0, 3), (2, 6), {0})
        program.stdin.close()


def enter(member, pid):
    """Into all cgroups of a member of the container."""
    for folder in folders(member):
        (folder / "cgroup.procs").write_text(str(pid))


def test_nobody_else(berth, container):
    before = scheduling_of(os.getpid()), io_priority(os.getpid()), os.sched_getaffinity(0)
    berth.ok("update", "--scheduler=batch:9", "--io-priority=idle", "--cpu-affinity=0", "--oom-score-adj=905", container)
    assert (scheduling_of(os.getpid()), io_priority(os.getpid()), os.sched_getaffinity(0)) == before


def test_while_processes_come_and_go(berth):
    """Those that are born meanwhile are found; those that end are no failure."""
    container = berth.running(script="while true; do true | true; sleep 0; done")
    for _ in range(10):
        berth.ok("update", "--scheduler=batch:4", "--oom-score-adj=906", "--io-priority=be:5", container)
    pid = berth.state(container)["pid"]
    assert scheduling_of(pid) == (4, 0, 3) and io_priority(pid) == (2, 5)


@pytest.mark.parametrize("option,pointer", [
    ("--oom-score-adj=1001", "/process/oomScoreAdj"), ("--rlimit=nofile=9:5", "/process/rlimits/0/soft"),
    ("--rlimit=nope=9", "/process/rlimits/0/type"), ("--io-priority=be:8", "/process/ioPriority/priority"),
    ("--io-priority=x", "/process/ioPriority/class"), ("--scheduler=fifo", "/process/scheduler/priority"),
    ("--scheduler=other:20", "/process/scheduler/nice"), ("--scheduler=x", "/process/scheduler/policy"),
    ("--scheduler=deadline:5ms:1ms", "/process/scheduler/deadline"), ("--cpu-affinity=x", "/process/execCPUAffinity")])
def test_what_does_not_exist(berth, container, option, pointer):
    told = berth.fails("update", option, container)
    assert f"(update {pointer}" in told


def test_more_processes_than_descriptors(berth):
    """Each is held by two: not to have them is an error, and no process is left out in silence."""
    container = berth.running(first="for i in 1 2 3 4 5 6 7 8 9 10; do sleep 1000 & done")
    score = pathlib.Path(f"/proc/{berth.state(container)['pid']}/oom_score_adj")
    before = score.read_text()
    few = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (20, 20))}
    assert len(members(berth, container)) == 11
    told = berth.fails("update", "--oom-score-adj=909", container, **few)
    assert "nothing was changed" in told and "too many open files" in told
    assert score.read_text() == before
