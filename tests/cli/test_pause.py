# SPDX-License-Identifier: Apache-2.0
from machine import needs_cgroup


@needs_cgroup
def test_pause_and_resume(berth):
    container = berth.running()
    assert berth.ok("pause", container) == ""
    assert berth.state(container)["status"] == "paused"
    berth.ok("resume", container)
    assert berth.state(container)["status"] == "running"


def test_resume_of_one_that_runs(berth):
    assert "container not paused" in berth.fails("resume", berth.running())


def test_pause_of_one_that_stopped(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert "not running" in berth.fails("pause", container)


@needs_cgroup
def test_killed_while_paused(berth):
    container = berth.running()
    berth.ok("pause", container)
    berth.ok("kill", container, "KILL")
    berth.wait_stopped(container)


def test_no_such_container(berth):
    for command in ("pause", "resume"):
        assert "container does not exist" in berth.fails(command, "no-such")
