# SPDX-License-Identifier: Apache-2.0
"""The same in scopes of systemd: killed at any call, or with a call that fails, nothing is left after delete --force."""
import errno
import os
import subprocess
import time

import pytest
from injector import Injector
from test_injected import measure, sweep

pytestmark = pytest.mark.skipif(not os.path.exists("/run/systemd/system"),
                                reason="this machine does not run systemd (the guest does)")


def units(berth):
    listed = ["systemctl", "list-units", "--all", "--plain", "--no-legend", f"*{berth.prefix}*"]
    return subprocess.run(listed, capture_output=True, text=True, timeout=60, check=True).stdout


@pytest.fixture
def scopes(berth):
    command, leaks = berth.command, berth.leaks

    def leaks_and_units():
        """systemd finds out by itself that a scope is empty."""
        deadline = time.monotonic() + 10
        while units(berth) and time.monotonic() < deadline:
            pass
        return [*leaks(), *units(berth).splitlines()]
    berth.command = lambda *words: command("--systemd-cgroup", *words)
    berth.leaks = leaks_and_units
    return berth


@pytest.mark.parametrize("victim", ("main", "all"))
def test_kill_in_create(scopes, driver, victim):
    inject = Injector(scopes, driver)
    first = measure(scopes, inject, "create")

    def check(container, number):
        result = inject("create", "-b", inject.bundle, container, at=number, fault=victim)
        assert not result.hung, result
    sweep(scopes, first.points, check, first=1 + ("main", "all").index(victim))


def test_call_fails_in_create(scopes, driver):
    inject = Injector(scopes, driver)
    first = measure(scopes, inject, "create")

    def check(container, number):
        result = inject("create", "-b", inject.bundle, container, at=number, fault=errno.EIO)
        assert not result.hung and (result.status == 0 or result.told.strip()), str(result)
    sweep(scopes, first.points, check)


def test_kill_in_delete(scopes, driver):
    inject = Injector(scopes, driver)
    container = scopes.new_id()
    scopes.ok("create", "-b", inject.bundle, container)
    points = inject("delete", "--force", container).points

    def check(container, number):
        scopes.ok("create", "-b", inject.bundle, container)
        assert not inject("delete", "--force", container, at=number, fault="all").hung
    sweep(scopes, points, check)
