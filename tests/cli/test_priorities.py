# SPDX-License-Identifier: Apache-2.0
"""Scheduler, I/O priority, CPUs, memory policy: asked for or not, seen from inside. And what must not cross from the
caller."""
import ctypes
import os
import pathlib
import platform
import resource
import signal

import pytest

from machine import ON_V2, any_ids, needs_cgroup, needs_cpus, needs_memory_policy, needs_realtime, needs_root, reads_init

LIBC = ctypes.CDLL(None, use_errno=True)
IOPRIO_SET, SCHED_GETATTR = {"x86_64": (251, 315), "aarch64": (30, 275)}[platform.machine()]
DEADLINE = 6
NICE, RT_PRIORITY, POLICY = 18, 39, 40  # fields of /proc/PID/stat, from 0
SET_TIMERSLACK, SET_CHILD_SUBREAPER, SET_THP_DISABLE = 29, 36, 41
ADDR_NO_RANDOMIZE = 0x40000
REALTIME = {"cpu": {"realtimeRuntime": 20000, "realtimePeriod": 1000000}}
MILLISECOND = 10**6


def configured(berth, *words, linux=None, hooks=None, **process):
    bundle = berth.bundle(*words, **process)
    config = berth.read_config(bundle)
    config["linux"] |= linux or {}
    config |= {"hooks": hooks} if hooks else {}
    berth.write_config(bundle, config)
    return bundle


def run(berth, *words, **changes):
    return berth.ok("run", "-b", configured(berth, *words, **changes), berth.new_id())


def refused(berth, *words, **changes):
    return berth.fails("run", "-b", configured(berth, *words, **changes), berth.new_id())


def scheduling(text):
    """Nice value, real-time priority and policy, of /proc/PID/stat."""
    fields = text.rpartition(")")[2].split()
    return tuple(int(fields[field - 2]) for field in (NICE, RT_PRIORITY, POLICY))


def status(text):
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


@pytest.mark.parametrize("scheduler,seen", [
    ({"policy": "SCHED_OTHER", "nice": -5}, (-5, 0, 0)),
    ({"policy": "SCHED_BATCH", "nice": 19}, (19, 0, 3)),
    ({"policy": "SCHED_IDLE"}, (0, 0, 5)),
    pytest.param({"policy": "SCHED_FIFO", "priority": 7}, (0, 7, 1), marks=needs_realtime),
    pytest.param({"policy": "SCHED_RR", "priority": 99, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}, (0, 99, 2 | 1 << 30),
                 marks=needs_realtime),
])
@needs_root
def test_scheduler(berth, scheduler, seen):
    linux = {"resources": REALTIME} if "priority" in scheduler else {}
    nice, priority, policy = scheduling(run(berth, "cat", "/proc/self/stat", scheduler=scheduler, linux=linux))
    assert (nice, priority, policy) == (*seen[:2], seen[2] & ~(1 << 30))


@needs_root
def test_scheduler_with_a_deadline(berth):
    times = {"runtime": 10 * MILLISECOND, "deadline": 20 * MILLISECOND, "period": 100 * MILLISECOND}
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("cat", "/proc/self/stat", scheduler={"policy": "SCHED_DEADLINE"} | times),
             container)
    attributes = (ctypes.c_uint64 * 7)()
    assert LIBC.syscall(SCHED_GETATTR, berth.state(container)["pid"], attributes, 56, 0) == 0
    assert attributes[0] >> 32 == DEADLINE and list(attributes[3:6]) == list(times.values())


@needs_root
def test_a_program_of_deadline(berth):
    scheduler = {"policy": "SCHED_DEADLINE", "runtime": MILLISECOND, "deadline": 10 * MILLISECOND}
    assert scheduling(run(berth, "cat", "/proc/self/stat", scheduler=scheduler))[2] == DEADLINE


@needs_realtime
@needs_root
def test_reset_on_fork_is_for_the_children(berth):
    scheduler = {"policy": "SCHED_FIFO", "priority": 7, "flags": ["SCHED_FLAG_RESET_ON_FORK"]}
    script = "read own < /proc/$$/stat; echo $own; cat /proc/self/stat; true"
    text = run(berth, "sh", "-c", script, scheduler=scheduler, linux={"resources": REALTIME})
    assert [scheduling(line)[1] for line in text.splitlines()] == [7, 0]


def test_realtime_needs_a_share(berth):
    if not os.path.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us"):
        pytest.skip("this kernel shares realtime among all")
    told = refused(berth, "true", scheduler={"policy": "SCHED_FIFO", "priority": 7})
    assert "/process/scheduler" in told and "realtimeRuntime" in told


@any_ids
def test_scheduler_in_a_user_namespace(berth):
    """Only the host has the right."""
    namespaces = [{"type": kind} for kind in ("mount", "pid", "ipc", "uts", "user", "network")]
    maps = [{"containerID": 0, "hostID": 100000, "size": 1000}]
    text = run(berth, "cat", "/proc/self/stat", scheduler={"policy": "SCHED_OTHER", "nice": -3},
               linux={"namespaces": namespaces, "uidMappings": maps, "gidMappings": maps})
    assert scheduling(text)[0] == -3


@pytest.mark.parametrize("kind,level,seen", [("RT", 3, "realtime: prio 3"), ("BE", 6, "best-effort: prio 6"),
                                             ("IDLE", 0, "idle")])
@needs_root
def test_io_priority(berth, kind, level, seen):
    wanted = {"class": f"IOPRIO_CLASS_{kind}", "priority": level}
    assert run(berth, "/bin/busybox", "ionice", ioPriority=wanted).startswith(seen)


def test_exec_has_its_own(berth, container, tmp_path):
    process = {"args": ["sh", "-c", "cat /proc/self/stat /proc/self/oom_score_adj; /bin/busybox ionice"], "cwd": "/",
               "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0}, "oomScoreAdj": 321,
               "scheduler": {"policy": "SCHED_BATCH", "nice": 11},
               "ioPriority": {"class": "IOPRIO_CLASS_BE", "priority": 2}}
    berth.write_config(tmp_path, process)
    text = berth.ok("exec", "--process", tmp_path / "config.json", container)
    stat, score, priority = text.splitlines()
    assert scheduling(stat) == (11, 0, 3) and score == "321" and priority == "best-effort: prio 2"


@needs_memory_policy
@pytest.mark.parametrize("policy,seen", [
    ({"mode": "MPOL_BIND", "nodes": "0"}, "bind:0"),
    ({"mode": "MPOL_INTERLEAVE", "nodes": "0", "flags": ["MPOL_F_STATIC_NODES"]}, "interleave=static:0"),
    ({"mode": "MPOL_PREFERRED", "nodes": "0"}, "prefer:0"),
    ({"mode": "MPOL_PREFERRED_MANY", "nodes": "0"}, "prefer (many):0"),
    ({"mode": "MPOL_LOCAL"}, "local"),
    ({"mode": "MPOL_DEFAULT", "nodes": ""}, "default"),
])
@reads_init
def test_memory_policy(berth, policy, seen):
    """Of the program and of one that enters."""
    bundle = configured(berth, "sh", "-c", "cat /proc/self/numa_maps; read line", linux={"memoryPolicy": policy})
    container = berth.new_id()
    berth.ok("create", "-b", bundle, container)
    own = open(f"/proc/{berth.state(container)['pid']}/numa_maps", encoding="ascii").read()
    entered = berth.ok("exec", container, "cat", "/proc/self/numa_maps")
    for text in (own, entered):
        assert f" {seen} " in text.splitlines()[0]


def test_memory_policy_without_such_a_node(berth):
    told = refused(berth, "true", linux={"memoryPolicy": {"mode": "MPOL_BIND", "nodes": "1000"}})
    assert "/linux/memoryPolicy" in told and "online" in told


before_the_cgroup = pytest.mark.skipif(ON_V2, reason="who is cloned into its cgroup (v2) has no time before it")


@pytest.fixture
def container(berth):
    return berth.running()


def cpus(text):
    return status(text)["Cpus_allowed_list"].strip()


def all_cpus():
    return cpus(open("/proc/1/status", encoding="ascii").read())


def entering(berth, container, affinity, process_file):
    process = {"args": ["cat", "/proc/self/status"], "cwd": "/", "env": ["PATH=/bin"], "user": {"uid": 0, "gid": 0},
               "execCPUAffinity": affinity}
    berth.write_config(process_file, process)
    return "exec", "--process", process_file / "config.json", container


@needs_cpus
@pytest.mark.parametrize("affinity,seen", [({"initial": "1", "final": "0"}, "0"), ({"final": "1"}, "1")])
def test_exec_on_its_own_cpus(berth, container, tmp_path, affinity, seen):
    assert cpus(berth.ok(*entering(berth, container, affinity, tmp_path))) == seen


@pytest.mark.parametrize("affinity", [{"initial": "0"}, {}])
def test_exec_on_the_cgroups_cpus(berth, container, tmp_path, affinity):
    """The first ones are left with the cgroup's."""
    narrow = {"preexec_fn": lambda: os.sched_setaffinity(0, {0})}
    assert cpus(berth.ok(*entering(berth, container, affinity, tmp_path), **narrow)) == all_cpus()


@needs_cpus
@pytest.mark.parametrize("member", [pytest.param("initial", marks=before_the_cgroup), "final"])
@needs_cgroup
def test_exec_on_cpus_that_are_not_there(berth, container, tmp_path, member):
    told = berth.fails(*entering(berth, container, {member: "8000"}, tmp_path), code=255)
    assert f"/execCPUAffinity/{member}" in told


def test_config_affinity_is_for_exec(berth):
    bundle = configured(berth, "cat", "/proc/self/status", execCPUAffinity={"final": "1"})
    assert cpus(berth.ok("run", "-b", bundle, berth.new_id())) == all_cpus()


def be_odd():
    """A caller with as much as can be handed on by a fork."""
    os.setgroups([4, 27, 999])
    os.umask(0)
    for number in (signal.SIGPIPE, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGTERM})
    os.sched_setaffinity(0, {0})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    os.nice(5)
    LIBC.syscall(IOPRIO_SET, 1, 0, 2 << 13 | 7)
    resource.setrlimit(resource.RLIMIT_STACK, (4 << 20, resource.RLIM_INFINITY))
    LIBC.prctl(SET_TIMERSLACK, 1234567, 0, 0, 0)
    LIBC.prctl(SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    LIBC.prctl(SET_THP_DISABLE, 1, 0, 0, 0)
    LIBC.personality(ADDR_NO_RANDOMIZE)


THP = status(pathlib.Path("/proc/self/status").read_text())["THP_enabled"]
PORTRAIT = "cat /proc/self/stat /proc/self/status /proc/self/personality /proc/self/timerslack_ns; " \
           "/bin/busybox ionice; env; umask"


@pytest.mark.parametrize("enters", [False, True])
@needs_root
def test_nothing_crosses_from_the_caller(berth, enters):
    odd = {"preexec_fn": be_odd, "env": os.environ | {"LEAKME": "1"}}
    bundle = configured(berth, "sh", "-c", PORTRAIT if not enters else "read line", user={"uid": 0, "gid": 1000})
    if not enters:
        text = berth.ok("run", "-b", bundle, berth.new_id(), **odd)
    else:
        text = berth.ok("exec", berth.running(), "sh", "-c", PORTRAIT, **odd)
    found, lines = status(text), text.splitlines()
    assert scheduling(lines[0]) == (0, 0, 0) and cpus(text) == all_cpus()
    assert found["Groups"].split() in (["1000"], ["0"], [])
    assert int(found["SigIgn"], 16) == 0 and int(found["SigBlk"], 16) == 0 and found["THP_enabled"] == THP
    assert "00000000" in lines and "50000" in lines and "none: prio 0" in text
    assert "LEAKME" not in text and lines[-1] == "0022"
