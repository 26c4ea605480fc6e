# SPDX-License-Identifier: Apache-2.0
import contextlib
import json
import os
import shutil
import subprocess

import openmetrics
import pytest
from held import EAT, MEBIBYTE, Held, limit_memory, make_bundle, memory_cgroup, remove_cgroup
from machine import ON_V2, needs_cgroup

needs_memory = pytest.mark.skipif(os.geteuid() != 0, reason="needs a memory cgroup")


def can_read_kernel_log():
    try:
        os.close(os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK))
    except OSError:
        return False
    return True


@contextlib.contextmanager
def streaming(berth, container):
    """berth events without statistics, and what it prints."""
    command = berth.command("events", "--interval=1h", container)
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as events:
        await_descriptor(events.pid, "anon_inode:[timerfd]", 2)
        yield events


def await_descriptor(pid, name, count=1):
    """Until a process has opened so many of them: it is further than that."""
    while True:
        with contextlib.suppress(FileNotFoundError):
            links = [os.readlink(f"/proc/{pid}/fd/{each}") for each in os.listdir(f"/proc/{pid}/fd")]
            if links.count(name) >= count:
                return
        os.sched_yield()


def shape(value, path=""):
    """The members of a JSON text with their types."""
    if isinstance(value, dict):
        return {path + "{}"}.union(*(shape(value[key], f"{path}.{key}") for key in value))
    if isinstance(value, list):
        return {path + "[]"}.union(*(shape(each, path + "[]") for each in value))
    return {f"{path}:{type(value).__name__}"}


@needs_cgroup
def test_stats_once(berth):
    container = berth.running("read line", first="i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done")
    event = json.loads(berth.ok("events", "--stats", container))
    assert (event["type"], event["id"]) == ("stats", container)
    assert event["data"]["pids"]["current"] == 1
    assert event["data"]["cpu"]["usage"]["total"] > 0


@needs_cgroup
def test_stream_ends_with_the_container(berth):
    container = berth.running()
    with subprocess.Popen(berth.command("events", "--interval", "10ms", container), stdout=subprocess.PIPE,
                          text=True) as events:
        for _ in range(3):
            assert json.loads(events.stdout.readline())["type"] == "stats"
        berth.ok("kill", container, "KILL")
        assert events.wait(60) == 0


@needs_cgroup
def test_does_not_spin(berth):
    container = berth.running()
    with subprocess.Popen(berth.command("events", "--interval=1h", container), stdout=subprocess.PIPE) as events:
        berth.ok("exec", container, "true")
        berth.ok("kill", container, "KILL")
        assert events.wait(60) == 0
        assert events.stdout.read() == b""


@pytest.mark.parametrize("value", ["0", "0s", "x", "5", "-1s", ""])
def test_bad_interval(berth, value):
    assert "option --interval: " in berth.fails("events", f"--interval={value}", "no-such")


@needs_cgroup
def test_stopped_container(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert "is not running" in berth.fails("events", container)
    assert "is not running" in berth.fails("events", "--stats", container)


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("events", "no-such")


@pytest.mark.skipif(shutil.which("runc") is None or os.geteuid() != 0, reason="there is no runc to compare with")
def test_all_members_of_runc(berth):
    """Each by name and type; whatever else berth tells is an addition."""
    container = Held(berth, "true", memory=64 * MEBIBYTE, command="create").id
    bundle = make_bundle(berth, "read line", memory=64 * MEBIBYTE, name="of-runc")
    runc = ["runc", f"--root={berth.folder}/runc"]
    never = berth.open_ends[-1]
    subprocess.run([*runc, "create", "-b", bundle, f"{container}-runc"], stdin=subprocess.DEVNULL, stdout=never,
                   stderr=never, check=True, timeout=60)
    try:
        stats = subprocess.run([*runc, "events", "--stats", f"{container}-runc"], capture_output=True, check=True,
                               timeout=60).stdout
    finally:
        subprocess.run([*runc, "delete", "-f", f"{container}-runc"], check=True, timeout=60)
    theirs, ours = (shape(json.loads(text)) for text in (stats, berth.ok("events", "--stats", container)))
    # Left out where nothing was counted: runc itself has to be read, and takes time, in the container's cgroup. The clock of
    # user-mode Linux counts in ticks.
    counted = (".data.blkio.io", ".data.memory.cache", ".data.cpu.usage.")
    assert {path for path in theirs - ours if not path.startswith(counted)} == set()
    added = {path.split(".")[2].strip("{}") for path in ours - theirs}
    assert added <= {"cpu", "memory", "pids", "blkio", "hugetlb", "rdma"}


@needs_cgroup
def test_pressure(berth):
    data = json.loads(berth.ok("events", "--stats", berth.running()))["data"]
    try:
        with open("/proc/pressure/cpu") as pressure:
            pressure.read()
    except OSError:
        pytest.skip("this kernel counts no pressure")
    for resource in ("cpu", "memory", "blkio"):
        for line in ("some", "full"):
            assert set(data[resource]["psi"][line]) == {"avg10", "avg60", "avg300", "total"}


@pytest.mark.skipif(not ON_V2, reason="v1 has no memory.events")
@needs_memory
def test_memory_events(berth):
    memory = json.loads(berth.ok("events", "--stats", berth.running()))["data"]["memory"]
    for events in (memory["events"], memory["eventsLocal"]):
        assert {"low", "high", "max", "oom", "oom_kill"} <= set(events)


@needs_memory
def test_openmetrics(berth):
    container = Held(berth, "true", memory=64 * MEBIBYTE)
    families = openmetrics.parse(berth.ok("events", "--format=openmetrics", container.id))
    own = (("id", container.id),)
    assert families["container_cpu_usage_seconds"].type == "counter"
    assert 0 <= families["container_cpu_usage_seconds"].samples[own] < 60
    assert families["container_memory_limit_bytes"].samples == {own: 64 * MEBIBYTE}
    assert families["container_memory_usage_bytes"].samples[own] > 0
    assert families["container_pids"].samples == {own: 1}
    assert all(dict(key)["id"] == container.id for family in families.values() for key in family.samples)


@needs_cgroup
def test_openmetrics_without_a_limit(berth):
    families = openmetrics.parse(berth.ok("events", "--format=openmetrics", berth.running()))
    assert families["container_pids_limit"].samples.keys() <= {(("id", berth.ids[0]),)}
    if "container_memory_limit_bytes" in families:
        assert families["container_memory_limit_bytes"].samples == {}


@needs_memory
def test_oom_by_the_containers_limit(berth):
    container = Held(berth, f"{EAT}; read line; {EAT}", memory=20 * MEBIBYTE)
    place = memory_cgroup(container.pid)
    with streaming(berth, container.id) as events:
        for kills in (1, 2):
            container.go()
            assert events.stdout.readline() == f'{{"type":"oom","id":"{container.id}"}}\n'
            event = json.loads(events.stdout.readline())
            assert (event["type"], event["id"]) == ("oom-cause", container.id)
            data = event["data"]
            assert (data["kills"], data["newKills"]) == (kills, 1)
            assert data["limit"] == "container"
            assert place.endswith(data["cgroup"])
            if can_read_kernel_log():
                assert [(victim["name"], victim["cgroup"]) for victim in data["victims"]] == [("dd", data["cgroup"])]
        assert events.wait(60) == 0
        assert events.stdout.read() == ""


@needs_memory
def test_oom_by_a_limit_above(berth):
    parent = f"/{berth.prefix}-above"
    container = Held(berth, f"{EAT}; read line", cgroup=f"{parent}/inner")
    try:
        limit_memory(parent, 20 * MEBIBYTE)
        with streaming(berth, container.id) as events:
            container.go()
            events.stdout.readline()
            data = json.loads(events.stdout.readline())["data"]
            assert (data["limit"], data["cgroup"], data["newKills"]) == ("above", parent, 1)
            events.terminate()
    finally:
        berth.ok("delete", "--force", container.id)
        remove_cgroup(parent)


@needs_memory
def test_oom_of_init_is_told_before_the_end(berth):
    """A shell that eats itself; its log is not needed for that."""
    container = Held(berth, f"exec {EAT}", memory=20 * MEBIBYTE)
    with streaming(berth, container.id) as events:
        container.go()
        lines = events.stdout.read().splitlines()
        assert events.wait(60) == 0
    assert [json.loads(line)["type"] for line in lines] == ["oom", "oom-cause"]
