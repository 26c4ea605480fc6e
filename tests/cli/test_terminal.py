# SPDX-License-Identifier: Apache-2.0
"""Containers with a terminal, in the foreground and by a console socket."""
import array
import fcntl
import os
import pty
import signal
import socket
import struct
import subprocess
import termios

import pytest


def receive_console(listener):
    connection, _ = listener.accept()
    data, ancillary, _, _ = connection.recvmsg(4096, socket.CMSG_SPACE(4))
    connection.close()
    assert data
    return array.array("i", ancillary[0][2])[0]


def read_until(descriptor, wanted):
    text = b""
    while wanted not in text:
        try:
            piece = os.read(descriptor, 65536)
        except OSError:
            piece = b""
        if not piece:
            break
        text += piece
    return text


@pytest.fixture
def listener(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as made:
        made.bind(str(tmp_path / "s"))
        made.listen()
        made.settimeout(60)
        yield made


def test_console_socket(berth, tmp_path, listener):
    container = berth.new_id()
    bundle = berth.bundle("sh", "-c", "test -t 0 && test -t 1 && echo terminal; read line", terminal=True)
    berth.ok("run", "-d", "--console-socket", tmp_path / "s", "-b", bundle, container)
    master = receive_console(listener)
    assert b"terminal" in read_until(master, b"terminal")
    os.close(master)


def test_foreground_output_has_plain_newlines(berth):
    bundle = berth.bundle("sh", "-c", "test -t 1 && echo one; echo two", terminal=True)
    assert berth.ok("run", "-b", bundle, berth.new_id()) == "one\ntwo\n"


def test_nothing_is_lost_with_a_slow_reader(berth):
    bundle = berth.bundle("sh", "-c", "stty -opost; dd if=/dev/zero bs=1000 count=2000 2>/dev/null | tr '\\0' x; echo end",
                          terminal=True)
    with subprocess.Popen(berth.command("run", "-b", bundle, berth.new_id()), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as process:
        total = b""
        while piece := os.read(process.stdout.fileno(), 777):
            total += piece
        assert process.wait(60) == 0
    assert total == b"x" * 2000000 + b"end\n"


def test_input_that_ends(berth):
    bundle = berth.bundle("sh", "-c", "stty -echo; echo ready; cat; echo end", terminal=True)
    with subprocess.Popen(berth.command("run", "-b", bundle, berth.new_id()), stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        assert process.communicate("one\ntwo", timeout=60)[0] == "one\ntwoend\n"


def window_size(descriptor, rows, columns):
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def on_a_terminal(berth, *command):
    """A berth whose standard descriptors are a terminal of ours, that it controls."""
    master, slave = pty.openpty()
    window_size(slave, 33, 77)
    before = termios.tcgetattr(slave)

    def control():
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    process = subprocess.Popen(berth.command(*command), stdin=slave, stdout=slave, stderr=slave, preexec_fn=control)
    return process, master, slave, before


def test_our_terminal(berth):
    """Size, resize, keys as they are, and the settings put back."""
    script = "stty size; trap 'stty size; exit 5' WINCH; echo ready; while :; do read -t 1 line; done"
    bundle = berth.bundle("sh", "-c", script, terminal=True)
    process, master, slave, before = on_a_terminal(berth, "run", "-b", bundle, berth.new_id())
    shown = read_until(master, b"ready")
    assert b"33 77" in shown, shown
    assert not termios.tcgetattr(slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)
    window_size(master, 44, 99)
    process.send_signal(signal.SIGWINCH)
    assert b"44 99" in read_until(master, b"44 99")
    assert process.wait(60) == 5
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


def test_interrupt_key_reaches_the_container(berth):
    bundle = berth.bundle("sh", "-c", "trap 'exit 3' INT; echo ready; while :; do read -t 1 line; done", terminal=True)
    process, master, slave, _ = on_a_terminal(berth, "run", "-b", bundle, berth.new_id())
    read_until(master, b"ready")
    os.write(master, b"\x03")
    assert process.wait(60) == 3
    os.close(master)
    os.close(slave)


def test_exec_with_a_terminal(berth):
    container = berth.running()
    assert berth.ok("exec", "-t", container, "sh", "-c", "test -t 0 && echo terminal") == "terminal\n"


def test_exec_detached_needs_a_console_socket(berth):
    assert "without setting console socket" in berth.fails("exec", "-d", "-t", berth.running(), "true", code=255)
