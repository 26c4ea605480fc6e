# SPDX-License-Identifier: Apache-2.0
"""berth wait, and the record of how a container ended."""
import contextlib
import datetime
import json
import os
import platform
import select
import signal
import subprocess

import pytest
from held import EAT, MEBIBYTE, Held, as_reaper, await_end
from machine import needs_cgroup, reads_init
from test_events import await_descriptor, needs_memory

UNKNOWN = 254
KERNEL = tuple(map(int, platform.release().split("-")[0].split(".")[:2]))


@pytest.fixture(autouse=True)
def reaper():
    """Containers that have ended stay zombies until the test reaps them: older kernels tell no more of them then."""
    with as_reaper():
        yield
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


@contextlib.contextmanager
def waiting(berth, container, *options):
    """berth wait that waits already."""
    command = berth.command("wait", *options, container)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        await_descriptor(process.pid, "anon_inode:[eventpoll]")
        yield process


def record_of(berth, container, code):
    done = berth("wait", "--format=json", container)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def time_of(text):
    return datetime.datetime.fromisoformat(text[:26] + "+00:00")


@needs_cgroup
def test_several_wait_for_the_exit_code(berth):
    container = Held(berth, "exit 7")
    with waiting(berth, container.id) as first, waiting(berth, container.id, "--format=json") as second:
        container.go()
        assert (first.wait(60), second.wait(60)) == (7, 7)
        assert first.stdout.read() + first.stderr.read() == ""
        record = json.loads(second.stdout.read())
    assert (record["exitCode"], record["signal"], record["oomKilled"]) == (7, None, False)
    assert record["id"] == container.id
    assert time_of(record["created"]) <= time_of(record["started"]) <= time_of(record["finished"])
    # From the record, as often as it is asked for, until it is deleted.
    assert record_of(berth, container.id, 7) == record_of(berth, container.id, 7) == record
    berth.ok("delete", container.id)
    assert "container does not exist" in berth.fails("wait", container.id, code=255)


def test_signal(berth):
    container = Held(berth, "true")
    with waiting(berth, container.id) as process:
        berth.ok("kill", container.id, "KILL")
        assert process.wait(60) == 128 + signal.SIGKILL
    record = record_of(berth, container.id, 137)
    assert (record["exitCode"], record["signal"]) == (None, 9)


def test_created_and_not_started(berth):
    container = Held(berth, "exit 5", command="create")
    with waiting(berth, container.id) as process:
        berth.ok("start", container.id)
        container.go()
        assert process.wait(60) == 5
    record = record_of(berth, container.id, 5)
    assert time_of(record["created"]) < time_of(record["started"]) <= time_of(record["finished"])


@reads_init
def test_never_started(berth):
    container = Held(berth, "true", command="create")
    with waiting(berth, container.id) as process:
        berth.ok("kill", container.id, "KILL")
        assert process.wait(60) == 137
    assert record_of(berth, container.id, 137)["started"] is None


def test_deleted_meanwhile(berth):
    container = Held(berth, "true")
    with waiting(berth, container.id) as process:
        berth.ok("delete", "--force", container.id)
        assert process.wait(60) == 137
    assert not berth.root.exists() or container.id not in os.listdir(berth.root)


def test_who_runs_it_keeps_the_record(berth):
    """Its parent has reaped it: there is nobody else to ask."""
    container = berth.new_id()
    assert berth("run", "--keep", "-b", berth.bundle("sh", "-c", "exit 9"), container).returncode == 9
    record = record_of(berth, container, 9)
    assert record["exitCode"] == 9 and record["finished"] is not None


def test_zombie_is_asked(berth):
    """Nobody watched, but nobody has reaped it either."""
    container = Held(berth, "exit 6")
    container.go()
    await_end(container.pid)
    record = record_of(berth, container.id, 6)
    assert (record["exitCode"], record["finished"]) == (6, None)
    os.waitpid(container.pid, 0)
    assert record_of(berth, container.id, 6) == record


def test_nobody_watched(berth):
    container = Held(berth, "exit 6")
    container.go()
    os.waitpid(container.pid, 0)
    done = berth("wait", container.id)
    assert done.returncode == UNKNOWN and "exit status unknown: nobody was watching" in done.stderr
    record = record_of(berth, container.id, UNKNOWN)
    assert (record["exitCode"], record["signal"], record["finished"]) == (None, None, None)
    assert record["started"] is not None


@pytest.mark.skipif(KERNEL < (6, 15), reason="this kernel forgets how a reaped process ended")
def test_reaped_before_the_watcher_looks(berth):
    """The worst order: it is stopped while the container ends and is reaped."""
    container = Held(berth, "exit 8")
    with waiting(berth, container.id) as process:
        os.kill(process.pid, signal.SIGSTOP)
        container.go()
        os.waitpid(container.pid, 0)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(60) == 8


def test_events_keeps_the_record_too(berth):
    container = Held(berth, "exit 4")
    with subprocess.Popen(berth.command("events", "--interval=1h", container.id)) as events:
        await_descriptor(events.pid, "anon_inode:[timerfd]", 2)
        container.go()
        assert events.wait(60) == 0
    assert record_of(berth, container.id, 4)["finished"] is not None


@needs_memory
def test_oom_is_in_the_record(berth):
    container = Held(berth, f"{EAT}; exit 3", memory=20 * MEBIBYTE)
    with waiting(berth, container.id, "--format=json") as process:
        container.go()
        assert process.wait(60) == 3
        record = json.loads(process.stdout.read())
    assert record["oomKilled"] and record["oom"]["kills"] == 1
    assert record["oom"]["limit"] == "container"
    assert record["cpuNanoseconds"] > 0
    # Where the kernel counts it (v2: Linux 5.19), it is what the limit let through, but for a few pages.
    if record["memoryPeakBytes"] is not None:
        assert 16 * MEBIBYTE < record["memoryPeakBytes"] <= 20 * MEBIBYTE


@needs_memory
def test_oom_without_a_watcher(berth):
    """The parent's record: the counts of the cgroup say whose limit it was."""
    container = berth.new_id()
    bundle = berth.bundle("sh", "-c", f"{EAT}; exit 2")
    config = berth.read_config(bundle)
    config["linux"].setdefault("resources", {})["memory"] = {"limit": 20 * MEBIBYTE, "swap": 20 * MEBIBYTE}
    berth.write_config(bundle, config)
    assert berth("run", "--keep", "-b", bundle, container).returncode == 2
    oom = record_of(berth, container, 2)["oom"]
    assert (oom["kills"], oom["limit"]) == (1, "container")


def test_state_stays_as_runcs(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert list(berth.state(container)) == ["ociVersion", "id", "pid", "status", "bundle", "rootfs", "created", "owner"]


def test_half_made_container(berth):
    """What a killed create leaves has no process to wait for."""
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    state = berth.root / container / "state.json"
    text = state.read_text()
    state.write_text(" " * 95 + "\n" + text[96:])
    (berth.root / container / "exit.json").unlink()
    assert "was never made" in berth.fails("wait", container, code=255)


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"exitCode":"x"}'])
def test_damaged_record_is_none(berth, damage):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    (berth.root / container / "exit.json").write_text(damage)
    assert berth("wait", container).returncode == UNKNOWN


def test_nothing_is_written_while_it_runs(berth):
    container = Held(berth, "true")
    with waiting(berth, container.id) as process:
        assert select.select([process.stdout], [], [], 0)[0] == []
        assert not (berth.root / container.id / "exit.json").exists()
        berth.ok("kill", container.id, "KILL")
        assert process.wait(60) == 137
