# SPDX-License-Identifier: Apache-2.0
"""Containers in scopes of systemd: the system's as root, else the user's own."""
import os
import subprocess
import time

import pytest

from machine import CGROUPS, ON_V2

USER = os.geteuid() != 0
RUNS_SYSTEMD = os.path.exists("/run/systemd/system")
NO_SYSTEMD = "this machine does not run systemd (the guest does)"


def systemctl(*words, check=True):
    done = subprocess.run(["systemctl", *(["--user"] if USER else []), *words], capture_output=True, text=True, timeout=60)
    assert not check or done.returncode == 0, done.stderr
    return done.stdout.strip()


def show(unit, name):
    return systemctl("show", "-P", name, unit)


def units_like(pattern):
    return systemctl("list-units", "--all", "--plain", "--no-legend", pattern)


def await_end(unit):
    """Where nobody could tell systemd to stop it, it finds out by itself that a scope is empty: what is asked of it in the
    meantime is answered when it has looked."""
    deadline = time.monotonic() + 20
    while units_like(unit):
        assert time.monotonic() < deadline, f"{unit} is still there"


def cgroup_of(unit):
    unified = CGROUPS if ON_V2 else CGROUPS / "unified"
    return unified / show(unit, "ControlGroup").lstrip("/")


def unit_of(container):
    return f"berth-{container}.scope"


@pytest.fixture
def scopes(berth):
    """berth with its containers in scopes, and no unit left afterwards."""
    if not RUNS_SYSTEMD:
        pytest.skip(NO_SYSTEMD)
    command = berth.command

    def with_driver(*words):
        return command("--systemd-cgroup", *words)
    berth.command = with_driver
    yield berth
    berth.clean()
    left = units_like(f"*{berth.prefix}*")
    systemctl("kill", "--signal=KILL", f"*{berth.prefix}*", check=False)
    assert left == ""


@pytest.fixture(params=["cgroupfs", "systemd"])
def either(request):
    """berth with its cgroups made by itself, and with those of systemd."""
    return request.getfixturevalue("berth" if request.param == "cgroupfs" else "scopes")
