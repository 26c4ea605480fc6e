# SPDX-License-Identifier: Apache-2.0
"""Status 0 of start, run -d and exec -d means that the program was executed, whoever reaps what was killed before.

A lease on the program's file holds its execve up: the test is told, and acts while the caller of berth is stopped."""
import contextlib
import ctypes
import fcntl
import json
import os
import shutil
import signal
import struct
import subprocess
import threading

import pytest

from machine import needs_cgroup

PR_SET_CHILD_SUBREAPER = 36
F_SETOWN_EX, F_OWNER_TID = 15, 0
SECONDS = 30
KERNEL = tuple(map(int, os.uname().release.split(".")[:2]))


@contextlib.contextmanager
def reaping():
    """Orphans become this process's children, as they become those of an engine's shim."""
    library = ctypes.CDLL(None)
    library.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    try:
        yield
    finally:
        library.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


class Held:
    """A program that does not get through execve before it is let go."""

    def __init__(self, path, signals):
        self.descriptor = os.open(path, os.O_RDONLY)
        self.signals = signals
        # To this thread, which blocks it: to the process, any thread could get it, and die.
        fcntl.fcntl(self.descriptor, F_SETOWN_EX, struct.pack("ii", F_OWNER_TID, threading.get_native_id()))
        try:
            fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        except OSError as error:
            os.close(self.descriptor)
            pytest.skip(f"no leases on this filesystem: {error}")

    def wait(self):
        assert signal.sigtimedwait(self.signals, SECONDS) is not None, "nobody executes it"

    def let_go(self):
        if self.descriptor >= 0:
            os.close(self.descriptor)
        self.descriptor = -1


@pytest.fixture
def held(berth):
    """A bundle whose program is held in execve."""
    folder = berth.folder / "program"
    folder.mkdir(mode=0o755)
    shutil.copy(berth.rootfs / "bin/busybox", folder / "true")
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGIO})
    program = Held(folder / "true", {signal.SIGIO})
    yield program
    program.let_go()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


def bundle_with(berth, *args, hook=None):
    bundle = berth.bundle(*args)
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/tmp", "type": "bind", "source": str(berth.folder / "program"),
                             "options": ["bind"]})
    if hook:
        config["hooks"] = {"startContainer": [{"path": "/bin/sh", "args": ["sh", "-c", hook]}]}
    berth.write_config(bundle, config)
    return bundle


def popen(berth, *arguments):
    return subprocess.Popen(berth.command(*arguments), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


def stop(process):
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)


def go_on(process):
    process.send_signal(signal.SIGCONT)
    told = process.communicate(timeout=SECONDS)[1]
    return process.returncode, told


def start_in_execve(berth, held):
    """A start that is stopped while its program is held in execve, and the program's pid."""
    container = berth.new_id()
    berth.ok("create", "-b", bundle_with(berth, "/tmp/true"), container)
    pid = berth.state(container)["pid"]
    start = popen(berth, "start", container)
    held.wait()
    stop(start)
    return start, pid


@pytest.mark.skipif(KERNEL < (6, 15), reason="the exit of a reaped process is known since Linux 6.15")
def test_start_of_a_program_killed_in_execve(berth, held):
    with reaping():
        start, pid = start_in_execve(berth, held)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        code, told = go_on(start)
    assert code == 1 and "container not running" in told and "killed by signal 9" in told


def test_start_of_a_program_that_was_short(berth, held):
    """It has been executed, has ended and been reaped before start looks: this is a success."""
    with reaping():
        start, pid = start_in_execve(berth, held)
        held.let_go()
        os.waitpid(pid, 0)
        assert go_on(start) == (0, "")


def test_start_of_what_is_killed_in_a_hook(berth):
    folder = berth.folder / "program"
    folder.mkdir(mode=0o755)
    os.mkfifo(folder / "fifo")
    container = berth.new_id()
    with reaping():
        berth.ok("create", "-b", bundle_with(berth, "true", hook="echo here >/tmp/fifo; sleep 100"), container)
        pid = berth.state(container)["pid"]
        start = popen(berth, "start", container)
        assert (folder / "fifo").read_text() == "here\n"
        stop(start)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        code, told = go_on(start)
    assert code == 1 and "ended before its program ran" in told


def test_run_of_a_program_killed_in_execve(berth, held):
    container = berth.new_id()
    run = popen(berth, "run", "-d", "-b", bundle_with(berth, "/tmp/true"), container)
    held.wait()
    stop(run)
    os.kill(berth.state(container)["pid"], signal.SIGKILL)
    code, told = go_on(run)
    assert code == 1 and "ended before its program ran" in told
    assert "does not exist" in berth.fails("state", container)


@needs_cgroup
def test_exec_of_a_program_killed_in_execve(berth, held):
    container = berth.new_id()
    pid_file = berth.folder / "pid"
    berth.ok("run", "-d", "-b", bundle_with(berth, "sleep", "1000"), container)
    first = berth.state(container)["pid"]
    process = popen(berth, "exec", "-d", "--pid-file", pid_file, container, "/tmp/true")
    held.wait()
    stop(process)
    for pid in json.loads(berth.ok("ps", "-f", "json", container)):
        if pid != first:
            os.kill(pid, signal.SIGKILL)
    code, told = go_on(process)
    assert code == 255 and "ended before its program ran" in told
    assert not pid_file.exists()


def test_caller_that_ignores_the_end_of_children(berth):
    """Its children would be reaped by the kernel, and their status lost."""
    bundle = berth.bundle("sh", "-c", "exit 7")
    script = 'trap "" CHLD; exec "$0" "$@"'
    command = ["bash", "-c", script, *berth.command("run", "-b", bundle, berth.new_id())]
    assert subprocess.run(command, stdin=subprocess.DEVNULL, timeout=60).returncode == 7
