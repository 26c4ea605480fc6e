# SPDX-License-Identifier: Apache-2.0
"""`berth try` runs over the host's root, so only what must be true anywhere is asserted."""
import os
import pathlib

import pytest


def run_try(berth, *arguments, **options):
    return berth("try", *arguments, **options)


def test_exit_code_and_streams(berth):
    done = run_try(berth, "sh", "-c", "cat; exit 6", input="text")
    assert (done.stdout, done.returncode) == ("text", 6), done.stderr


def test_double_dash(berth):
    assert run_try(berth, "--", "echo", "-x").stdout == "-x\n"


def test_portrait(berth):
    done = run_try(berth)
    assert done.returncode == 0, done.stderr
    rows = dict(line.split(None, 1) for line in done.stdout.splitlines() if line[:1].strip())
    assert {"pid", "hostname", "namespaces", "cgroup", "mounts", "capabilities", "seccomp"} <= set(rows)
    assert rows["pid"] == "1" and rows["hostname"] == "berth-try" and rows["seccomp"].startswith("mode 2")
    assert "started in" in done.stderr


def test_what_it_writes_is_gone(berth):
    marker = f"/var/{berth.prefix}"
    done = run_try(berth, "sh", "-c", f"echo x > {marker} && cat {marker}")
    if "read-only file system" in done.stderr.lower():
        pytest.skip("no overlay here: the root is read-only")
    assert done.stdout == "x\n", done.stderr
    assert not pathlib.Path(marker).exists()


def test_private_tmp_and_home(berth, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "secret").write_text("x")
    done = run_try(berth, "sh", "-c", 'echo "$HOME"; ls -A "$HOME" /tmp', env=os.environ | {"HOME": str(home)})
    assert done.returncode == 0 and "secret" not in done.stdout and done.stdout.startswith(f"{home}\n")


def test_caller_environment_stays_outside(berth):
    done = run_try(berth, "env", env=os.environ | {"BERTH_TEST_SECRET": "1"})
    assert "BERTH_TEST_SECRET" not in done.stdout and "PATH=" in done.stdout


@pytest.mark.parametrize("command", ["unshare -U true", "mount -t tmpfs x /mnt"])
def test_seccomp_refuses(berth, command):
    done = run_try(berth, "sh", "-c", f"exec {command}")
    assert done.returncode != 0 and ("not permitted" in done.stderr or "denied" in done.stderr)


def test_command_that_is_not_there(berth):
    assert "executable file not found in $PATH" in berth.fails("try", "no-such-command")


def test_argument_that_needs_escaping(berth):
    odd = 'a"b\\c\n\x01é'
    assert run_try(berth, "printf", "%s", odd).stdout == odd
