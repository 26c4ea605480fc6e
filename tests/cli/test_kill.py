# SPDX-License-Identifier: Apache-2.0
import pytest


@pytest.mark.parametrize("name", ["KILL", "SIGKILL", "kill", "sigKill", "9"])
def test_forms_of_a_signal(berth, name):
    container = berth.running()
    berth.ok("kill", container, name)
    berth.wait_stopped(container)


# A signal that comes between the shell's look at what is pending and its read(2) is seen by the next round only.
ROUNDS = "while :; do sleep 1; done"


def test_default_is_term(berth):
    container = berth.running(ROUNDS, first="trap 'exit 3' TERM")
    berth.ok("kill", container)
    berth.wait_stopped(container)


def test_real_time_signal(berth):
    container = berth.running(ROUNDS, first="trap 'exit 3' 37")
    berth.ok("kill", container, "RTMIN+3")
    berth.wait_stopped(container)


@pytest.mark.parametrize("name", ["FOO", "65", "-9", "RTMIN+99", "RTMIN3", ""])
def test_unknown_signal(berth, name):
    if name:
        assert f'unknown signal "{name}"' in berth.fails("kill", "no-such", name)


def test_all(berth):
    container = berth.running(first="sleep 1000 &")
    berth.ok("kill", "--all", container, "9")
    berth.wait_stopped(container)


def test_created_container(berth):
    container = berth.new_id()
    berth.ok("create", "-b", berth.bundle("true"), container)
    berth.ok("kill", container, "KILL")
    berth.wait_stopped(container)


def test_stopped_container(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert "container not running" in berth.fails("kill", container, "KILL")
    # Engines send --all to be sure, and take an error for a container that lives.
    berth.ok("kill", "--all", container, "KILL")


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("kill", "no-such", "KILL")
