# SPDX-License-Identifier: Apache-2.0
"""A process of exec that waits right before its program, until it is let go: by `start --process`, or by a FIFO."""
import array
import json
import os
import pathlib
import select
import signal
import socket
import subprocess

import pytest

from held import as_reaper, await_end
from machine import needs_cgroup, needs_root

SECONDS = 60
PROGRAM = ("sh", "-c", "echo ran >/tmp/ran; exec sleep 1000")


@pytest.fixture
def container(berth):
    """In which /tmp can be written, and is the test's `shared`."""
    shared = berth.folder / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    bundle = berth.bundle("sh", "-c", "read line")
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/tmp", "type": "bind", "source": str(shared), "options": ["bind"]})
    berth.write_config(bundle, config)
    container = berth.run_waiting(bundle)
    os.mkfifo(shared / "told")
    (shared / "told").chmod(0o666)
    return container


def ran(berth):
    return (berth.folder / "shared/ran").exists()


def hold(berth, container, *words, options=()):
    """Its pid, as the pid file has it."""
    pid_file = berth.folder / "pid"
    berth.ok("exec", "-d", "--hold", "--pid-file", pid_file, *options, container, *(words or PROGRAM))
    return int(pid_file.read_text())


def left(berth, container):
    """The gates of processes that are held."""
    return [path.name for path in (berth.root / container).iterdir() if path.name.startswith("held")]


def told(berth):
    """What the program says once it runs."""
    with open(berth.folder / "shared/told", encoding="ascii") as fifo:
        return fifo.read()


def environment(pid):
    return pathlib.Path(f"/proc/{pid}/environ").read_bytes()


@needs_cgroup
def test_nothing_has_run_before_it_is_let_go(berth, container):
    pid = hold(berth, container, "sh", "-c", "echo ran >/tmp/ran; echo $$ >/tmp/told; exec sleep 1000")
    assert pid in json.loads(berth.ok("ps", "-f", "json", container)) and not ran(berth)
    assert len(left(berth, container)) == 1
    berth.ok("start", "--process", pid, container)
    told(berth)
    assert ran(berth) and left(berth, container) == []
    os.kill(pid, signal.SIGKILL)


@needs_root
def test_is_set_up_completely(berth, container):
    """Who looks at it before it runs sees what the program will be."""
    pid = hold(berth, container, options=("--user", "1000:1000", "--no-new-privs", "--cwd", "/tmp"))
    first = berth.state(container)["pid"]
    status = dict(line.split(":\t", 1) for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines())
    assert status["NoNewPrivs"] == "1" and len(set(status["Uid"].split())) == 1
    assert os.readlink(f"/proc/{pid}/cwd") == "/tmp"
    for name in ("pid", "mnt", "ipc", "uts", "net"):
        assert os.readlink(f"/proc/{pid}/ns/{name}") == os.readlink(f"/proc/{first}/ns/{name}")
    assert sorted(map(int, os.listdir(f"/proc/{pid}/fd")))[:3] == [0, 1, 2]
    os.kill(pid, signal.SIGKILL)


def test_pidfd_before_it_runs(berth, container, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        listener.settimeout(SECONDS)
        pid = hold(berth, container, options=("--pidfd-socket", tmp_path / "s"))
        connection, _ = listener.accept()
        data, ancillary, _, _ = connection.recvmsg(64, socket.CMSG_SPACE(4))
        connection.close()
    descriptor = array.array("i", ancillary[0][2])[0]
    assert data == b"setns" and not ran(berth)
    lines = pathlib.Path(f"/proc/self/fdinfo/{descriptor}").read_text()
    assert f"Pid:\t{pid}\n" in lines
    signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    assert select.select([descriptor], [], [], SECONDS)[0]
    os.close(descriptor)
    assert not ran(berth)


def test_exit_code_of_one_in_the_foreground(berth, container, tmp_path):
    """berth stays with it, through both phases; it can be followed by the pid file."""
    os.mkfifo(tmp_path / "in")
    words = berth.command("exec", "--hold", "--pid-file", tmp_path / "pid", container, "sh", "-c", "echo one; exit 7")
    with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        while not (tmp_path / "pid").exists():
            assert process.poll() is None
            select.select([], [], [], 0.01)
        berth.ok("start", "--process", (tmp_path / "pid").read_text(), container)
        assert process.stdout.read() == "one\n" and process.wait(SECONDS) == 7


def test_only_once(berth, container):
    pid = hold(berth, container)
    berth.ok("start", "--process", pid, container)
    assert "is not held in this container" in berth.fails("start", "--process", pid, container)
    os.kill(pid, signal.SIGKILL)


def test_of_another_container(berth, container):
    pid = hold(berth, container)
    other = berth.running()
    assert "is not held in this container" in berth.fails("start", "--process", pid, other)
    assert "is not held in this container" in berth.fails("start", "--process", os.getpid(), container)
    assert not ran(berth)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("number", ["0", "-1", "x", str(1 << 40)])
def test_no_number_of_a_process(berth, container, number):
    assert "--process" in berth.fails("start", f"--process={number}", container)


def test_killed_while_it_waits(berth, container):
    with as_reaper():
        pid = hold(berth, container)
        os.kill(pid, signal.SIGKILL)
        await_end(pid)
        assert "is not held" in berth.fails("start", "--process", pid, container)
        os.waitpid(pid, 0)
    assert "is not held" in berth.fails("start", "--process", pid, container)
    assert not ran(berth)
    hold(berth, container)  # what was left of the first does not matter


def test_gate_of_a_pid_that_came_again(berth, container):
    """The time of its start is in the gate's name: nobody else's pid opens it."""
    pid = hold(berth, container)
    place = berth.root / container
    [gate] = left(berth, container)
    (place / gate).rename(place / f"held.{pid}.1")
    assert "is not held" in berth.fails("start", "--process", pid, container)
    os.kill(pid, signal.SIGKILL)


def test_what_is_no_program_is_said_by_start(berth, container):
    shared = berth.folder / "shared"
    (shared / "program").write_text("#!/moon\n")
    (shared / "program").chmod(0o755)
    pid = hold(berth, container, "/tmp/program")
    said = berth.fails("start", "--process", pid, container)
    assert 'exec: "/tmp/program": exec /tmp/program: no such file or directory' in said
    assert left(berth, container) == []


def test_what_is_not_there_is_said_by_exec(berth, container, tmp_path):
    said = berth.fails("exec", "-d", "--hold", "--pid-file", tmp_path / "pid", container, "no-such", code=255)
    assert "executable file not found" in said and not (tmp_path / "pid").exists()
    assert left(berth, container) == []


@needs_cgroup
def test_paused_container(berth, container):
    pid = hold(berth, container)
    berth.ok("pause", container)
    assert "paused" in berth.fails("start", "--process", pid, container)
    berth.ok("resume", container)
    berth.ok("start", "--process", pid, container)
    os.kill(pid, signal.SIGKILL)


def test_goes_with_the_container(berth, container):
    descriptor = os.pidfd_open(hold(berth, container))
    berth.ok("delete", "--force", container)
    assert select.select([descriptor], [], [], SECONDS)[0]
    os.close(descriptor)
    assert not (berth.root / container).exists() and not ran(berth)


def test_under_a_filter(berth, container):
    """It waits behind the filter, which is a part of what it will be."""
    bundle = berth.bundle("sh", "-c", "read line", name="filtered", noNewPrivileges=True)
    config = berth.read_config(bundle)
    config["linux"]["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                                  "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
    berth.write_config(bundle, config)
    other = berth.run_waiting(bundle)
    pid = hold(berth, other, "sleep", "1000")
    assert "Seccomp:\t2\n" in pathlib.Path(f"/proc/{pid}/status").read_text()
    berth.ok("start", "--process", pid, other)
    os.kill(pid, signal.SIGKILL)


@pytest.fixture
def fifo(tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "fifo").chmod(0o622)
    return tmp_path / "fifo"


def wait_for(berth, container, fifo, *words, options=()):
    pid_file = berth.folder / "pid"
    berth.ok("exec", "-d", "--exec-wait-fifo", fifo, "--pid-file", pid_file, *options, container, *(words or PROGRAM))
    return int(pid_file.read_text())


@pytest.mark.parametrize("user", ["0", "1000"])
def test_fifo(berth, container, fifo, user):
    """runc's proposal: the supervisor adopts the process, then opens the FIFO, whose byte is a 0."""
    pid = wait_for(berth, container, fifo, "sh", "-c", "echo ran >/tmp/ran; echo x >/tmp/told; exec sleep 1000",
                   options=("--user", user))
    assert not ran(berth)
    with open(fifo, encoding="ascii") as opened:
        assert opened.read() == "0"
    assert told(berth) == "x\n" and ran(berth)
    os.kill(pid, signal.SIGKILL)


def test_fifo_that_is_closed_at_once(berth, container, fifo):
    pid = wait_for(berth, container, fifo, "sh", "-c", "echo x >/tmp/told; exec sleep 1000")
    os.close(os.open(fifo, os.O_RDONLY))
    assert told(berth) == "x\n"
    os.kill(pid, signal.SIGKILL)


def test_fifo_in_the_foreground(berth, container, fifo):
    words = berth.command("exec", "--exec-wait-fifo", fifo, container, "sh", "-c", "exit 5")
    with subprocess.Popen(words, stdin=subprocess.DEVNULL) as process:
        with open(fifo, encoding="ascii") as opened:
            assert opened.read() == "0"
        assert process.wait(SECONDS) == 5


def test_killed_while_it_waits_for_a_fifo(berth, container, fifo):
    with as_reaper():
        pid = wait_for(berth, container, fifo)
        os.kill(pid, signal.SIGKILL)
        await_end(pid)
        os.waitpid(pid, 0)
    with pytest.raises(OSError, match="No such device or address"):
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    assert not ran(berth)


@needs_root
def test_fifo_that_the_containers_user_cannot_open(berth, container, fifo, tmp_path):
    fifo.chmod(0o600)
    said = berth.fails("exec", "-d", "--user", "1000", "--exec-wait-fifo", fifo, "--pid-file", tmp_path / "pid", container,
                       "true", code=255)
    assert "mode 0622" in said and not (tmp_path / "pid").exists()


def test_no_fifo(berth, container, tmp_path):
    (tmp_path / "file").touch()
    assert "is no FIFO" in berth.fails("exec", "--exec-wait-fifo", tmp_path / "file", container, "true", code=255)
    assert "open the FIFO" in berth.fails("exec", "--exec-wait-fifo", tmp_path / "none", container, "true", code=255)


def test_one_way_only(berth, container, fifo):
    assert "in one way only" in berth.fails("exec", "--hold", "--exec-wait-fifo", fifo, container, "true", code=255)
