# SPDX-License-Identifier: Apache-2.0
import json
import os
import signal
import subprocess

import pytest

from machine import needs_cgroup


@pytest.fixture
def container(berth):
    return berth.running()


def test_output_and_exit_code(berth, container):
    done = berth("exec", container, "sh", "-c", "cat; echo error >&2; exit 9", input="text")
    assert (done.stdout, done.stderr, done.returncode) == ("text", "error\n", 9)


def test_options_of_the_command_are_its_own(berth, container):
    assert berth.ok("exec", container, "echo", "--cwd", "-t") == "--cwd -t\n"
    assert berth.ok("exec", container, "--", "echo", "x") == "x\n"


def test_exit_code_of_a_signal(berth, container):
    assert berth("exec", container, "sh", "-c", "kill -9 $$").returncode == 137


def test_is_inside(berth, container):
    pid = berth.state(container)["pid"]
    for name in ("pid", "mnt", "ipc", "uts", "net"):
        inside = berth.ok("exec", container, "readlink", f"/proc/self/ns/{name}")
        assert inside.strip() == os.readlink(f"/proc/{pid}/ns/{name}")


def test_cwd_env_user(berth, container):
    assert berth.ok("exec", "--cwd", "/tmp", container, "pwd") == "/tmp\n"
    text = berth.ok("exec", "-e", "A=1", "--env=B=2 3", container, "env")
    assert {"A=1", "B=2 3"} <= set(text.splitlines()) and "PATH=" in text
    assert berth.ok("exec", "--user", "1000:1000", container, "id", "-u") == "1000\n"
    assert berth.ok("exec", "-u", "1000", "-g", "7", "-g", "8", container, "id", "-G").split() == ["0", "7", "8"]


@pytest.mark.parametrize("user", ["root", "1000:x", "-1", "1:2:3", ""])
def test_bad_user(berth, container, user):
    if user:
        assert "is no user or group id" in berth.fails("exec", "-u", user, container, "true", code=255)


def test_no_new_privileges_and_capabilities(berth, container):
    assert "NoNewPrivs:\t1" in berth.ok("exec", "--no-new-privs", container, "cat", "/proc/self/status")
    with_it = berth.ok("exec", "--cap", "CAP_SYS_TIME", container, "cat", "/proc/self/status")
    bounding = [line.split()[1] for line in with_it.splitlines() if line.startswith("CapBnd")]
    assert int(bounding[0], 16) & 1 << 25


def test_process_file(berth, container, tmp_path):
    process = {"args": ["sh", "-c", "echo $X; pwd; exit 4"], "cwd": "/tmp", "env": ["X=5", "PATH=/bin"],
               "user": {"uid": 0, "gid": 0}}
    (tmp_path / "process.json").write_text(json.dumps(process))
    done = berth("exec", "--process", tmp_path / "process.json", "--cwd", "/root", container)
    assert (done.stdout, done.returncode) == ("5\n/tmp\n", 4)


def test_process_file_that_is_empty(berth, container):
    assert "process file /dev/null is empty" in berth.fails("exec", "--process", "/dev/null", container, code=255)


@needs_cgroup
def test_detached_with_pid_file(berth, container, tmp_path):
    berth.ok("exec", "-d", "--pid-file", tmp_path / "pid", container, "sleep", "1000")
    pid = int((tmp_path / "pid").read_text())
    assert pid in json.loads(berth.ok("ps", "-f", "json", container))


def test_program_is_not_there(berth, container, tmp_path):
    for option in ([], ["-d"]):
        told = berth.fails("exec", *option, "--pid-file", tmp_path / "pid", container, "no-such", code=255)
        assert 'exec: "no-such": executable file not found in $PATH' in told
        assert not (tmp_path / "pid").exists()


def test_errors_are_255(berth, container):
    assert "container does not exist" in berth.fails("exec", "no-such", "true", code=255)
    assert "process args cannot be empty" in berth.fails("exec", container, code=255)
    assert "/no/such" in berth.fails("exec", "-p", "/no/such", container, code=255)
    assert "unknown option" in berth.fails("exec", "--nope", container, "true", code=1)


@needs_cgroup
def test_paused(berth, container):
    berth.ok("pause", container)
    assert "cannot exec in a paused container" in berth.fails("exec", container, "true", code=255)


def test_stopped(berth):
    container = berth.new_id()
    berth.ok("run", "--keep", "-b", berth.bundle("true"), container)
    assert "cannot exec in a stopped container" in berth.fails("exec", container, "true", code=255)


def test_signals_are_passed_on(berth, container):
    script = "trap 'echo got; exit 3' TERM; echo ready; while read line; do :; done"
    with subprocess.Popen(berth.command("exec", container, "sh", "-c", script), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.readline() == "got\n"
        assert process.wait(60) == 3


def test_warns_of_what_it_was_asked_only(berth):
    """The config's own faults were told by create, not at each exec."""
    container = berth.new_id()
    bundle = berth.bundle("sleep", "1000", capabilities={"bounding": ["CAP_MOON"]})
    assert "CAP_MOON" in berth("run", "-d", "-b", bundle, container).stderr
    assert berth("exec", container, "true").stderr == ""
    assert "CAP_STAR" in berth("exec", "--cap", "CAP_STAR", container, "true").stderr


def test_preserved_descriptors_that_are_berths_own(berth):
    """The host's directories are at these numbers in berth: a container that gets one reads the host's files."""
    container = berth.running()
    told = berth.fails("exec", "--preserve-fds=4", container, "true", code=255)
    assert "descriptor 3 is not open" in told
