# SPDX-License-Identifier: Apache-2.0
"""Where errors go, and what their lines look like."""
import json
import re
import subprocess

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
    assert "logging to journald is not supported" in berth.fails("--log=journald:x", "list")
    assert "logging to syslog is not supported" in berth.fails("--log=syslog:x", "list")
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
