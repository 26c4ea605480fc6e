# SPDX-License-Identifier: Apache-2.0
"""Where errors go, and what their lines look like."""
import json
import re
import subprocess
import sys

from machine import needs_root

RFC3339 = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"


def test_plain_on_standard_error(berth):
    assert re.fullmatch(r"berth: container does not exist.*\n", berth.fails("state", "x"))


def test_json_log_is_one_object(berth, tmp_path):
    log = tmp_path / "log.json"
    told = berth.fails("--log", log, "--log-format=json", "state", "x")
    line = json.loads(log.read_text())
    assert list(line)[:3] == ["level", "msg", "time"]
    assert line["level"] == "error" and line["kind"] == "not-found" and "container does not exist" in line["msg"]
    assert re.fullmatch(RFC3339, line["time"])
    assert told == f"berth: {line['msg']}\n"
    assert log.stat().st_mode & 0o777 == 0o644


def test_log_is_appended_to(berth, tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    berth.fails(f"--log=file:{log}", "state", "x")
    assert re.fullmatch(rf'before\ntime="{RFC3339}" level=error msg="container does not exist.*"\n', log.read_text())


def test_usage_error_goes_to_the_log_too(berth, tmp_path):
    berth.fails("--log", tmp_path / "log", "--log-format=json", "create", "--nope", "x")
    assert json.loads((tmp_path / "log").read_text())["kind"] == "invalid-use"


def test_debug(berth, tmp_path):
    assert "level=debug" in berth.fails("--debug", "state", "x")
    told = berth.fails("--debug", "--log", tmp_path / "log", "state", "x")
    assert "level=debug" not in told and "level=debug" in (tmp_path / "log").read_text()
    assert "level=debug" not in berth.fails("--debug=false", "state", "x")


def test_success_writes_nothing(berth, tmp_path):
    assert berth("--log", tmp_path / "log", "delete", "-f", "x").stderr == ""
    assert (tmp_path / "log").read_text() == ""


def test_unusable_log(berth):
    assert "open the log file /no/such/log: no such file or directory" in berth.fails("--log=/no/such/log", "list")
    assert 'invalid log-format option "xml"' in berth.fails("--log-format=xml", "list")


def test_message_is_valid_json_whatever_it_quotes(berth, tmp_path):
    command = berth.command("--log", tmp_path / "log", "--log-format=json", "kill", "x", "a\"\\\n\x01")
    subprocess.run([*map(str.encode, command[:-1]), command[-1].encode() + b"\xff\xc3"], capture_output=True)
    assert 'unknown signal "a"\\\n\x01\ufffd\ufffd"' in json.loads((tmp_path / "log").read_text())["msg"]


def test_closed_standard_descriptors(berth, tmp_path):
    """A log file must not become descriptor 2, nor output go to it."""
    script = f'exec "$0" --log {tmp_path}/log --log-format json state x <&- >&- 2>&-'
    assert subprocess.run(["bash", "-c", script, berth.path]).returncode == 1
    assert len((tmp_path / "log").read_text().splitlines()) == 1


RECEIVER = """
import os, socket, subprocess, sys
place, *command = sys.argv[1:]
for folder in ("/run", "/dev"):
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], check=True)
os.makedirs(os.path.dirname(place), exist_ok=True)
os.mknod("/dev/null", 0o20666, os.makedev(1, 3))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
    receiver.bind(place)
    done = subprocess.run(command, stderr=subprocess.DEVNULL)
    receiver.settimeout(10)
    sys.stdout.buffer.write(receiver.recv(65536))
"""


def received(berth, place, target):
    """What arrives at the socket that a machine with a journal or syslog has there."""
    command = ["unshare", "--mount", sys.executable, "-c", RECEIVER, place]
    command += berth.command(f"--log={target}", "state", "x")
    return subprocess.run(command, stdout=subprocess.PIPE, timeout=60, check=True).stdout


@needs_root
def test_log_to_syslog(berth):
    told = received(berth, "/dev/log", "syslog:harbour")
    assert re.fullmatch(rb"<11>harbour\[\d+\]: container does not exist: x", told)


@needs_root
def test_log_to_journald(berth):
    told = received(berth, "/run/systemd/journal/socket", "journald:harbour")
    text = b"container does not exist: x"
    assert b"MESSAGE\n" + len(text).to_bytes(8, "little") + text + b"\n" in told
    assert b"SYSLOG_IDENTIFIER\n" + (7).to_bytes(8, "little") + b"harbour\n" in told
    assert b"PRIORITY\n" + (1).to_bytes(8, "little") + b"3\n" in told


@needs_root
def test_nobody_takes_the_log(berth):
    command = ["unshare", "--mount", "sh", "-c", 'mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /dev; exec "$0" "$@"']
    for target, place in (("syslog:x", "/dev/log"), ("journald:x", "/run/systemd/journal/socket")):
        done = subprocess.run([*command, *berth.command(f"--log={target}", "list")], capture_output=True, text=True)
        assert done.returncode == 1 and f"nobody takes the log at {place}" in done.stderr


def warned_bundle(berth, *args):
    return berth.bundle(*args, capabilities={"bounding": ["CAP_MOON"]})


def test_log_of_a_failed_command_is_one_object(berth, tmp_path):
    """Podman reads the whole file as one; the warning goes to standard error."""
    log = tmp_path / "log"
    told = berth.fails("--log", log, "--log-format=json", "run", "-b", warned_bundle(berth, "no-such"), berth.new_id())
    assert json.loads(log.read_text())["level"] == "error"
    assert "berth: warning: " in told and "CAP_MOON" in told


def test_warning_is_in_the_log_of_a_command_that_succeeds(berth, tmp_path):
    log = tmp_path / "log"
    berth.ok("--log", log, "--log-format=json", "run", "-b", warned_bundle(berth, "true"), berth.new_id())
    line = json.loads(log.read_text())
    assert line["level"] == "warning" and "CAP_MOON" in line["msg"]
