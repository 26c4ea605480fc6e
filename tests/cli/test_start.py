# SPDX-License-Identifier: Apache-2.0
import subprocess


def test_runs_the_program(berth):
    container = berth.new_id()
    bundle = berth.bundle("echo", "hello")
    with subprocess.Popen(berth.command("create", "-b", bundle, container), stdout=subprocess.PIPE, text=True) as create:
        assert create.wait(60) == 0
        berth.ok("start", container)
        assert create.stdout.read() == "hello\n"
    berth.wait_stopped(container)
    assert berth.state(container)["status"] == "stopped"


def test_not_twice(berth):
    container = berth.running()
    assert "cannot start an already running container" in berth.fails("start", container)


def test_not_after_its_end(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert "cannot start a container that has stopped" in berth.fails("start", container)


def test_no_such_container(berth):
    assert "container does not exist" in berth.fails("start", "no-such")
