# SPDX-License-Identifier: Apache-2.0
import json

from machine import needs_cgroup, needs_ps


@needs_ps
@needs_cgroup
def test_table(berth):
    container = berth.running()
    berth.ok("exec", "--detach", container, "sleep", "1000")
    header, *rows = berth.ok("ps", container).splitlines()
    assert header.split()[:3] == ["UID", "PID", "PPID"]
    assert len(rows) == 2 and any("sleep 1000" in row for row in rows)


@needs_cgroup
def test_json(berth):
    container = berth.running()
    assert json.loads(berth.ok("ps", "--format", "json", container)) == [berth.state(container)["pid"]]


@needs_cgroup
def test_arguments_of_ps(berth):
    container = berth.running()
    text = berth.ok("ps", container, "-e", "-o", "comm,pid")
    assert text.split() == ["COMMAND", "PID", "sh", str(berth.state(container)["pid"])]


@needs_cgroup
def test_ps_without_a_pid_column(berth):
    assert "no PID column" in berth.fails("ps", berth.running(), "-e", "-o", "comm")


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("ps", "no-such")
