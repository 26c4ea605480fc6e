# SPDX-License-Identifier: Apache-2.0
"""A container in the foreground: what it prints, its exit status, and what it was given."""
import os
import pty
import select
import subprocess

import pytest

from engine import IMAGE


def test_output_and_success(engine):
    done = engine.run(IMAGE, "sh", "-c", "echo hello; echo sorry >&2")
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "sorry\n")


@pytest.mark.parametrize("code", [1, 7, 255])
def test_exit_status(engine, code):
    assert engine.run(IMAGE, "sh", "-c", f"exit {code}").returncode == code


def test_a_signal_is_128_and_its_number(engine):
    assert engine.run("--init", IMAGE, "sh", "-c", "kill -9 $$").returncode == 137


def test_missing_program_is_127(engine):
    done = engine.run(IMAGE, "no-such-program")
    assert done.returncode == 127
    assert "no-such-program" in done.stderr


def test_missing_absolute_program_is_127(engine):
    assert engine.run(IMAGE, "/no/such/program").returncode == 127


def test_file_that_is_no_program_is_126(engine):
    done = engine.run(IMAGE, "/etc/plain")
    assert done.returncode == 126
    assert "permission denied" in done.stderr.lower()


def test_standard_input(engine):
    assert engine.output("--interactive", IMAGE, "cat", input="given\n") == "given"


def test_big_output_arrives_whole(engine):
    assert engine.output(IMAGE, "sh", "-c", "dd if=/dev/zero bs=1024 count=2048 2>/dev/null | tr '\\0' x | wc -c") == \
        str(2048 * 1024)
    assert len(engine.output(IMAGE, "sh", "-c", "dd if=/dev/zero bs=1024 count=256 2>/dev/null | tr '\\0' x")) == 262144


def test_environment(engine):
    given = engine.output("--env", "ANSWER=42", "--env", "SPACES=a b", IMAGE, "env").splitlines()
    assert {"ANSWER=42", "SPACES=a b"} <= set(given)
    assert any(line.startswith("PATH=") for line in given)


def test_working_directory(engine):
    assert engine.output("--workdir", "/home/guest", IMAGE, "pwd") == "/home/guest"


def test_numeric_user(engine):
    assert engine.output("--user", "1234:4321", IMAGE, "id", "-u") == "1234"
    assert engine.output("--user", "1234:4321", IMAGE, "id", "-g") == "4321"


def test_named_user(engine):
    assert engine.output("--user", "guest", IMAGE, "sh", "-c", "id -un; echo $HOME") == "guest\n/home/guest"


def test_additional_groups(engine):
    assert engine.output("--group-add", "2345", IMAGE, "id", "-G").split()[-1] == "2345"


def test_hostname(engine):
    assert engine.output("--hostname", "house", IMAGE, "hostname") == "house"


def test_init_is_not_the_program(engine):
    first = engine.output("--init", IMAGE, "cat", "/proc/1/cmdline")
    assert "init" in first.split("\0")[0]


def read_terminal(master):
    received = b""
    while select.select([master], [], [], 60)[0]:
        try:
            data = os.read(master, 4096)
        except OSError:
            break
        if not data:
            break
        received += data
    return received.decode()


def test_terminal(engine):
    master, slave = pty.openpty()
    command = engine.command(*engine.arguments("run", "--rm", "--interactive", "--tty", IMAGE, "sh", "-c",
                                               "tty; test -t 0 && test -t 1 && test -t 2 && echo all; exit 5"))
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as client:
        os.close(slave)
        received = read_terminal(master)
        assert client.wait(timeout=60) == 5, received
    os.close(master)
    assert "/dev/pts/0\r\nall\r\n" in received


def test_terminal_takes_input(engine):
    master, slave = pty.openpty()
    command = engine.command(*engine.arguments("run", "--rm", "--interactive", "--tty", IMAGE, "sh", "-c",
                                               "read line; echo \"<$line>\""))
    with subprocess.Popen(command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True) as client:
        os.close(slave)
        os.write(master, b"typed\n")
        received = read_terminal(master)
        assert client.wait(timeout=60) == 0, received
    os.close(master)
    assert "<typed>" in received
