# SPDX-License-Identifier: Apache-2.0
"""A second program in a container that runs."""
import concurrent.futures
import subprocess

import pytest

from engine import IMAGE, wait_until


@pytest.fixture
def sleeper(engine):
    """The engine, and a container of it that stays."""
    return engine, engine.start("--init", "--env", "ORIGIN=run", IMAGE, "sleep", "1000")


def test_output(sleeper):
    engine, container = sleeper
    done = engine("exec", container, "sh", "-c", "echo out; echo err >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "out\n", "err\n")


def test_exit_status(sleeper):
    engine, container = sleeper
    assert engine("exec", container, "true").returncode == 0
    assert engine("exec", container, "sh", "-c", "exit 7").returncode == 7


def test_no_program(sleeper):
    engine, container = sleeper
    done = engine("exec", container, "/etc/plain")
    assert done.returncode == 126
    assert "permission denied" in (done.stdout + done.stderr).lower()


def test_missing_program(sleeper):
    engine, container = sleeper
    done = engine("exec", container, "no-such-program")
    assert done.returncode == (127 if engine.name == "podman" else 126)  # Docker's choice for an exec
    assert "no-such-program" in done.stdout + done.stderr


def test_options(sleeper):
    engine, container = sleeper
    text = engine.must("exec", "--env", "MORE=1", "--workdir", "/home/guest", "--user", "1000:1000", container, "sh", "-c",
                       "echo $ORIGIN $MORE; pwd; id -u")
    assert text == "run 1\n/home/guest\n1000"


def test_standard_input(sleeper):
    engine, container = sleeper
    assert engine.must("exec", "--interactive", container, "cat", input="given\n") == "given"


def test_terminal(sleeper):
    engine, container = sleeper
    script = " ".join(engine.command("exec", "--interactive", "--tty", container, "tty"))
    done = subprocess.run(["script", "--quiet", "--return", "--command", script, "/dev/null"], capture_output=True,
                          text=True, stdin=subprocess.DEVNULL, timeout=60)
    assert (done.returncode, "/dev/pts/" in done.stdout) == (0, True), done


def test_same_namespaces_and_cgroup(sleeper):
    engine, container = sleeper
    ask = "for kind in pid mnt net ipc uts; do readlink /proc/self/ns/$kind; done"
    first = ask.replace("self", "1")
    assert engine.must("exec", container, "sh", "-c", ask) == engine.must("exec", container, "sh", "-c", first)
    own, init = (engine.must("exec", container, "cat", f"/proc/{who}/cgroup") for who in ("self", "1"))
    assert own == init


def test_detached(sleeper):
    engine, container = sleeper
    engine.must("exec", "--detach", container, "sh", "-c", "echo done >/tmp/mark; exec sleep 999")
    wait_until(lambda: engine("exec", container, "grep", "-q", "done", "/tmp/mark").returncode == 0)
    assert "sleep 999" in engine.must("exec", container, "ps")


def test_privileged(sleeper):
    engine, container = sleeper
    ask = ("exec", container, "grep", "CapEff", "/proc/self/status")
    assert engine.must(ask[0], "--privileged", *ask[1:]) != engine.must(*ask)


def test_many_at_once(sleeper):
    engine, container = sleeper
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = pool.map(lambda n: engine("exec", container, "sh", "-c", f"echo {n}; exit {n}"), range(12))
    assert [(a.returncode, a.stdout) for a in answers] == [(n, f"{n}\n") for n in range(12)]


def test_stopped_container_refuses(engine):
    container = engine.start(IMAGE, "true")
    engine.must("wait", container)
    assert engine("exec", container, "true").returncode != 0
