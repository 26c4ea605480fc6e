# SPDX-License-Identifier: Apache-2.0
import json
import subprocess

import pytest


def test_stats_once(berth):
    container = berth.running("read line", first="i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done")
    event = json.loads(berth.ok("events", "--stats", container))
    assert (event["type"], event["id"]) == ("stats", container)
    assert event["data"]["pids"]["current"] == 1
    assert event["data"]["cpu"]["usage"]["total"] > 0


def test_stream_ends_with_the_container(berth):
    container = berth.running()
    with subprocess.Popen(berth.command("events", "--interval", "10ms", container), stdout=subprocess.PIPE,
                          text=True) as events:
        for _ in range(3):
            assert json.loads(events.stdout.readline())["type"] == "stats"
        berth.ok("kill", container, "KILL")
        assert events.wait(60) == 0


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


def test_stopped_container(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert "is not running" in berth.fails("events", container)
    assert "is not running" in berth.fails("events", "--stats", container)


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("events", "no-such")
