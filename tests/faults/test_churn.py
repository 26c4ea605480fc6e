# SPDX-License-Identifier: Apache-2.0
"""Many containers, many callers at once: what is left is what was there before."""
import concurrent.futures
import os
import signal
import time

from conftest import LONG, cli

CALLERS = 12
CHURN_SECONDS = 6


def at_once(count, action):
    with concurrent.futures.ThreadPoolExecutor(count) as pool:
        return list(pool.map(action, range(count)))


def test_two_hundred_containers(berth):
    bundle = berth.bundle("true")
    descriptors = len(os.listdir("/proc/self/fd"))

    def live(number):
        container = berth.new_id()
        if number % 2:
            berth.ok("run", "-b", bundle, container)
            return
        berth.ok("create", "-b", bundle, container)
        berth.ok("start", container)
        berth.wait_stopped(container)
        berth.ok("delete", container)

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(live, range(200)))
    assert len(os.listdir("/proc/self/fd")) == descriptors
    berth.assert_clean()


def test_descriptors_inside(berth):
    """Only the three streams: nothing of berth's own, nothing of its caller's."""
    bundle = berth.bundle("sh", "-c", "ls /proc/$$/fd; true")
    with open("/dev/null") as other:
        told = berth.ok("run", "-b", bundle, berth.new_id(), pass_fds=[other.fileno()])
    assert told.split() == ["0", "1", "2"]


def test_one_id_created_by_many(berth):
    bundle = berth.bundle("sleep", "100")
    container = berth.new_id()
    results = at_once(CALLERS, lambda _: berth("create", "-b", bundle, container))
    assert sorted(result.returncode for result in results) == [0] + [1] * (CALLERS - 1)
    assert all("already exists" in result.stderr for result in results if result.returncode)
    berth.ok("start", container)
    assert berth.state(container)["status"] == "running"
    berth.ok("delete", "--force", container)
    berth.assert_clean()


def test_one_id_started_by_many(berth):
    bundle = berth.bundle("sleep", "100")
    container = berth.new_id()
    berth.ok("create", "-b", bundle, container)
    results = at_once(CALLERS, lambda _: berth("start", container, timeout=20))
    assert sorted(result.returncode for result in results) == [0] + [1] * (CALLERS - 1), [r.stderr for r in results]
    assert berth.state(container)["status"] == "running"


def test_one_id_made_and_deleted_all_the_time(berth):
    bundle = berth.bundle("sleep", "100")
    container = berth.new_id()
    end = time.monotonic() + CHURN_SECONDS
    done = {0: 0, 1: 0, 2: 0}

    def churn(number):
        words = ("delete", "--force", container) if number == 2 else ("create", "-b", bundle, container)
        while time.monotonic() < end:
            done[number] += berth(*words, timeout=20).returncode == 0

    at_once(3, churn)
    assert done[2] > 5 and done[0] + done[1] > 5
    berth("delete", "--force", container)
    berth.assert_clean()
    berth.ok("create", "-b", bundle, container)
    berth.ok("start", container)
    assert berth.state(container)["status"] == "running"
    berth.ok("delete", "--force", container)
    berth.assert_clean()


def test_exec_during_delete(berth):
    container = berth.running()

    def act(number):
        words = ("delete", "--force", container) if number == 4 else ("exec", container, "sleep", "100")
        return berth(*words, timeout=20).returncode

    assert at_once(9, act)[4] == 0
    berth.assert_clean()


def what_there_is(container, berth):
    """What each exec could leave: processes of the container, files of its record, descriptors of its first process."""
    pid = berth.state(container)["pid"]
    return (berth.ok("ps", "-f", "json", container), sorted(os.listdir(berth.root / container)),
            sorted(os.listdir(f"/proc/{pid}/fd")), len(os.listdir("/proc/self/fd")))


def test_a_hundred_execs_at_once(berth):
    container = berth.running()
    before = what_there_is(container, berth)
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        results = list(pool.map(lambda _: berth("exec", container, "true"), range(100)))
    assert [result for result in results if result.returncode or result.stderr] == []
    assert what_there_is(container, berth) == before


def test_a_minute_of_execs(berth):
    """Probes of an engine, as quick as they go: one each 10 ms were 6000, as long runs have."""
    container = berth.running()
    before = what_there_is(container, berth)
    for number in range(6000 if LONG else 600):
        result = berth("exec", container, "true")
        assert result.returncode == 0 and result.stderr == "", f"{number}: {result.stderr}"
    assert what_there_is(container, berth) == before


def test_many_deleters(berth):
    container = berth.running()
    results = at_once(CALLERS, lambda _: berth("delete", "--force", container, timeout=20))
    assert any(result.returncode == 0 for result in results)
    for result in results:
        assert result.returncode == 0 or "does not exist" in result.stderr, result.stderr
    berth.assert_clean()


def test_state_directory_without_a_record(berth):
    """create was killed after the first of all steps."""
    container = berth.new_id()
    (berth.root / container).mkdir(parents=True)
    berth.ok("delete", "--force", container)
    assert not (berth.root / container).exists()


def test_first_process_killed_before_start(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    pid = berth.state(container)["pid"]
    descriptor = os.pidfd_open(pid)
    os.kill(pid, signal.SIGKILL)
    cli.select.select([descriptor], [], [], 10)
    os.close(descriptor)
    assert "cannot start a container that has stopped" in berth.fails("start", container)
