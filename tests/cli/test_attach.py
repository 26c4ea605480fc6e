# SPDX-License-Identifier: Apache-2.0
"""`berth attach` and terminals of boxes: nothing is lost, nothing hangs."""
import fcntl
import os
import pty
import select
import shlex
import shutil
import signal
import struct
import subprocess
import termios

import pytest

import boxes
from test_terminal import read_until

LEAVE = b"\x10\x11"  # ctrl-p, ctrl-q


class Terminal:
    """A pseudo terminal with a program on it."""

    def __init__(self, command, rows=24, columns=80):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        self.process = subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
                                        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.slave = slave  # kept open: what was written stays readable

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, data):
        os.write(self.master, data)

    def see(self, wanted):
        text = b""
        while wanted not in text:
            ready, _, _ = select.select([self.master], [], [], boxes.TIMEOUT)
            assert ready, f"{wanted} is not in {text}"
            text += os.read(self.master, 65536)
        return text

    def end(self):
        status = self.process.wait(boxes.TIMEOUT)
        os.close(self.slave)
        os.close(self.master)
        return status


@pytest.fixture
def terminal(berth):
    made = []

    def make(*arguments, **options):
        made.append(Terminal(berth.command(*arguments), **options))
        return made[-1]
    yield make
    for each in made:
        if each.process.poll() is None:
            each.process.kill()
            each.end()


def test_input_output_and_exit_code(box):
    name = box.start("sh", "-c", "echo first; cat; echo error >&2; exit 4")
    process = box.attach(name)
    output, errors = process.communicate(b"typed\n", boxes.TIMEOUT)
    assert (output, errors, process.returncode) == (b"first\ntyped\n", b"error\n", 4)


def test_closed_input_does_not_end_the_output(box):
    name = box.start("sh", "-c", "cat > /dev/null; echo end of input; echo more; exit 2")
    process = box.attach(name, stdin=subprocess.DEVNULL)
    assert process.communicate(timeout=boxes.TIMEOUT)[0] == b"end of input\nmore\n" and process.returncode == 2


def test_all_who_are_attached_see_all(box):
    name = box.start("sh", "-c", "echo before; read line; echo $line")
    readers = [box.attach(name, "--no-stdin") for _ in range(3)]
    for reader in readers:
        assert reader.stdout.readline() == b"before\n"
    writer = box.attach(name)
    writer.communicate(b"typed\n", boxes.TIMEOUT)
    assert [reader.communicate(timeout=boxes.TIMEOUT)[0] for reader in readers] == [b"typed\n"] * 3


SIZE = 8 << 20


def test_slow_reader_loses_nothing(box):
    name = box.start("sh", "-c", f"read line; dd if=/dev/zero bs=65536 count={SIZE >> 16} 2> /dev/null; echo end >&2")
    process = box.attach(name)
    process.stdin.write(b"\n")
    process.stdin.flush()
    # Stopped while the program writes more than anything between holds.
    os.kill(process.pid, signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    os.kill(process.pid, signal.SIGCONT)
    output, errors = process.communicate(timeout=boxes.TIMEOUT)
    assert (len(output), errors, process.returncode) == (SIZE, b"end\n", 0)


def test_reader_that_goes_away_does_not_hang_the_program(berth, box):
    name = box.start("sh", "-c", f"read line; dd if=/dev/zero bs=65536 count={SIZE >> 16} 2> /dev/null; exit 5")
    process = box.attach(name)
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.stdout.read(1)
    process.kill()
    process.communicate()
    assert berth("wait", name).returncode == 5


def test_program_writes_to_nobody(berth, box):
    name = box.start("sh", "-c", f"dd if=/dev/zero bs=65536 count={SIZE >> 16} 2> /dev/null; exit 5")
    assert berth("wait", name).returncode == 5


def test_large_input(box):
    name = box.start("sh", "-c", "wc -c")
    process = box.attach(name)
    output, _ = process.communicate(b"x" * SIZE, boxes.TIMEOUT)
    assert output == b"%d\n" % SIZE


def test_terminal(terminal, box):
    _, words = box.words("-t", "sh", "-c", "test -t 0 && test -t 1 && stty size; echo $TERM; busybox tty; exit 3")
    screen = terminal(*words, rows=33, columns=77)
    text = screen.see(b"/dev/pts/0")
    assert b"33 77\r\nxterm\r\n" in text
    assert screen.end() == 3


def test_output_of_a_terminal_in_a_pipe(box):
    assert box.ok("-t", "sh", "-c", "echo one; echo two") == "one\r\ntwo\r\n"


def test_job_control(terminal, box):
    _, words = box.words("-t", "sh", "-i")
    screen = terminal(*words)
    screen.see(b"# ")
    # What the job says comes after the shell has given it the terminal.
    screen.type(b"(echo run''ning; cat)\n")
    screen.see(b"running\r\n")
    screen.type(b"\x1a")  # ctrl-z stops the job, not berth
    screen.see(b"Stopped")
    screen.type(b"fg\n")
    screen.see(b"cat)\r\n")
    screen.type(b"word\n")  # shown by the terminal, and by cat
    screen.see(b"word\r\nword\r\n")
    screen.type(b"\x03")
    screen.see(b"# ")
    screen.type(b"echo status $?\n")
    screen.see(b"status 130")
    screen.type(b"exit 4\n")
    assert screen.end() == 4


def test_window_changes(terminal, box):
    _, words = box.words("-t", "sh", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 1000 & wait $!; done")
    screen = terminal(*words)
    screen.see(b"ready")
    screen.resize(40, 100)
    screen.see(b"40 100")
    screen.type(LEAVE)
    assert screen.end() == 0


def test_detach_and_attach(berth, terminal, box):
    name, words = box.words("-t", "sh")
    screen = terminal(*words)
    screen.type(b"echo fir''st\n")
    screen.see(b"first")
    screen.type(LEAVE)
    assert screen.end() == 0
    assert berth.state(name)["status"] == "running"
    again = terminal("attach", name, rows=50, columns=90)
    assert b"first" in again.see(b"first")
    again.type(b"stty size; echo sec''ond\n")
    assert b"50 90" in again.see(b"second")
    again.type(b"exit 8\n")
    assert again.end() == 8
    assert berth("wait", name).returncode in (8, 255)  # 255: it was to be removed at its end


def test_detach_keys(terminal, box):
    name, words = box.words("-t", "--detach-keys=ctrl-x,x", "cat")
    screen = terminal(*words)
    screen.type(b"a\x18b\x10\n")
    screen.see(b"a^Xb^P\r\n")
    screen.type(b"\x18x")
    assert screen.end() == 0
    for bad in ("ctrl-", "ctrl-?", "shift-a"):
        assert "is no key" in box.fails(f"--detach-keys={bad}", "true")
    last = terminal("attach", "--detach-keys=", name)
    last.see(b"a^Xb^P\r\n")
    last.type(b"\x18x" + LEAVE + b"\n\x04")
    assert last.end() == 0


def test_terminal_that_hangs_up(berth, terminal, box):
    name, words = box.words("-t", "sh", "-c", "echo ready; sleep 1000")
    screen = terminal(*words)
    screen.see(b"ready")
    os.kill(screen.process.pid, signal.SIGHUP)
    assert screen.end() == 0
    assert berth.state(name)["status"] == "running"


def test_run_can_be_left(berth, terminal):
    name = berth.new_id()
    bundle = berth.bundle("sh", terminal=True)
    screen = terminal("run", "--detach-keys=ctrl-x", "-b", bundle, name)
    screen.see(b"# ")
    screen.type(b"\x18")
    assert screen.end() == 0
    again = terminal("attach", name)
    again.see(b"# ")
    again.type(b"exit 3\n")
    assert again.end() == 3
    boxes.await_children(berth.prefix)
    assert "does not exist" in berth.fails("state", name)


def test_exec_can_be_left(berth, terminal):
    name = berth.running()
    screen = terminal("exec", "-t", "--detach-keys=ctrl-x", name, "sh")
    screen.see(b"# ")
    screen.type(b"\x18")
    told = screen.see(b"goes back")
    assert screen.end() == 0
    process = told.split(b"--process ")[1].split()[0].decode()
    again = terminal("attach", "--process", process, name)
    again.see(b"# ")
    again.type(b"exit 3\n")
    assert again.end() == 3
    assert berth.state(name)["status"] == "running"
    assert "no keeper" in berth.fails("attach", "--process", process, name)


def test_only_terminals_can_be_left(berth):
    name = berth.running()
    assert "no terminal" in berth.fails("exec", "--detach-keys=ctrl-x", name, "true", code=255)
    bundle = berth.bundle("true", name="plain")
    assert "no terminal" in berth.fails("run", "--detach-keys=ctrl-x", "-b", bundle, berth.new_id())
    assert "one of them" in berth.fails("run", "-d", "--detach-keys=ctrl-x", "-b", bundle, berth.new_id())


def test_own_terminal_is_put_back(terminal, box):
    _, words = box.words("-t", "true")
    screen = terminal(*words)
    before = termios.tcgetattr(screen.slave)
    screen.process.wait(boxes.TIMEOUT)
    assert termios.tcgetattr(screen.slave) == before
    screen.end()


def test_what_cannot_be_attached_to(berth, box):
    process, name = box.popen("sh", "-c", "echo ready; read line")
    assert process.stdout.readline() == b"ready\n"
    assert "its streams are those of who has started it" in berth.fails("attach", name)
    process.communicate(b"\n", boxes.TIMEOUT)
    assert "no keeper" in berth.fails("attach", berth.running())
    assert "does not exist" in berth.fails("attach", "none")
    ended = box.start("true")
    assert berth("wait", ended).returncode == 0
    boxes.await_keepers(ended)
    assert "no keeper" in berth.fails("attach", ended)


class Tmux:
    """A server of tmux of its own, with one window, driven in control mode: it says when the screen changes."""

    def __init__(self, folder, command):
        self.base = ["tmux", "-S", str(folder / "tmux"), "-f", "/dev/null"]
        line = " ".join(map(shlex.quote, command))
        self.process = subprocess.Popen([*self.base, "-C", "new-session", "-x", "80", "-y", "24", line], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)

    def __call__(self, *arguments):
        return subprocess.run([*self.base, *arguments], check=True, timeout=boxes.TIMEOUT, stdout=subprocess.PIPE,
                              text=True).stdout

    def see(self, *wanted):
        """The screen, once it shows all of wanted."""
        for line in self.process.stdout:
            if line.startswith(("%output", "%layout-change", "%end")):
                screen = self("capture-pane", "-p")
                if all(text in screen for text in wanted):
                    return screen
            assert not line.startswith("%exit"), f"{wanted} was not seen"
        raise AssertionError(f"{wanted} was not seen")

    def end(self):
        subprocess.run([*self.base, "kill-server"], stderr=subprocess.DEVNULL, timeout=boxes.TIMEOUT)
        self.process.communicate(timeout=boxes.TIMEOUT)


@pytest.mark.skipif(shutil.which("tmux") is None, reason="there is no tmux")
def test_session_in_tmux(berth, box, tmp_path):
    """top runs, is resized, is left, is attached to again, is interrupted."""
    name, words = box.words("-t", "--keep", "sh", "-c", "top; echo status $?; sh", rootfs=False)
    tmux = Tmux(tmp_path, ["env", "PS1=outer> ", "sh", "-c", shlex.join(map(str, berth.command(*words))) + "; exec sh"])
    try:
        tmux.see("PID", "COMMAND", "top")
        tmux("resize-window", "-x", "100", "-y", "40")
        tmux.see("PID", "COMMAND")
        tmux("send-keys", "C-p", "C-q")
        tmux.see("outer>")
        assert berth.state(name)["status"] == "running"
        tmux("send-keys", shlex.join(map(str, berth.command("attach", name))) + "; exit", "Enter")
        tmux("send-keys", "q")
        tmux.see("status 0")
        tmux("send-keys", "stty size; exit 6", "Enter")
        tmux.process.stdout.read()
    finally:
        tmux.end()
    assert berth("wait", name).returncode == 6
