# SPDX-License-Identifier: Apache-2.0
"""The N-th state-changing system call of the whole tree fails, or a process is killed there. For every N (in CI a part
of them): no hang, a message, no success without the program, no weaker sandbox, nothing left after delete --force."""
import errno
import os
import re
import select
import signal

import pytest
from conftest import LONG
from injector import END, Injector, map_ids

ERRORS = (errno.EIO, errno.ENOMEM, errno.EPERM)
SHAPES = {"plain": None, "mapped": map_ids}
STEP = 1 if LONG else 5


def plain_binds(config):
    """Recursive attributes (rro) are mount_setattr's alone."""
    for mount in config["mounts"]:
        mount["options"] = [option for option in mount.get("options", []) if option != "rro"]


def readonly_either_way(output):
    """What mountinfo shows: a mount is read-only, or all of its filesystem is."""
    return re.sub(r"^(/\S+ )(ro|rw)(,.* - \S+ \S+ )(ro|rw)\b",
                  lambda found: f"{found[1]}{found[3]}{'ro' if 'ro' in (found[2], found[4]) else 'rw'}", output, flags=re.M)


def points_of(total, first=1):
    return range(first, total + 1, STEP)


def measure(berth, inject, *words):
    """The run without a fault, cleaned away."""
    container = berth.new_id()
    result = inject(*words, "-b", inject.bundle, container)
    assert result.status == 0, result
    berth.ok("delete", "--force", container)
    return result


def sweep(berth, total, check, first=1):
    """All that is wrong, not only the first."""
    wrong = []
    for number in points_of(total, first):
        container = berth.new_id("p")
        try:
            check(container, number)
        except AssertionError as error:
            wrong.append(f"{number}: {error}")
        berth("delete", "--force", container)
        wrong.extend(f"{number}: left {line}" for line in berth.leaks())
        berth.ids.remove(container)
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("shape", SHAPES)
def test_call_fails_in_run(berth, driver, shape):
    inject = Injector(berth, driver, SHAPES[shape])
    first = measure(berth, inject, "run", "-d")
    assert first.output.endswith(END), first

    def check(container, number):
        errors = ERRORS if LONG else ERRORS[number % len(ERRORS):][:1]
        for error in errors:
            result = inject("run", "-d", "-b", inject.bundle, container, at=number, fault=error)
            assert not result.hung, result
            if result.status == 0:
                assert result.output.endswith(END), f"success without the program: {result}"
                assert result.output == first.output, f"another sandbox: {result}"
            else:
                assert result.told.strip(), f"no message: {result}"
            berth("delete", "--force", container)

    sweep(berth, first.points, check)


@pytest.mark.parametrize("call", ("mount_setattr", "open_tree_attr"))
def test_kernel_without(berth, driver, call):
    """What is newer than Linux 5.10 has a way around it, to the same sandbox."""
    inject = Injector(berth, driver, lambda config: (plain_binds(config), config["linux"].update(readonlyPaths=[
        "/proc/sys", "/tmp/host", "/no/such"], maskedPaths=["/proc/kcore", "/proc/acpi"])))
    first = measure(berth, inject, "run", "-d")
    container = berth.new_id()
    result = inject("run", "-d", "-b", inject.bundle, container, without=call)
    assert result.status == 0, str(result)
    assert readonly_either_way(result.output) == readonly_either_way(first.output)
    berth.ok("delete", "--force", container)


@pytest.mark.parametrize("victim", ("main", "caller", "all"))
def test_kill_in_create(berth, driver, victim):
    inject = Injector(berth, driver)
    first = measure(berth, inject, "create")

    def check(container, number):
        result = inject("create", "-b", inject.bundle, container, at=number, fault=victim)
        assert not result.hung, result
        if result.status == 0:
            told = berth("start", container)
            assert told.returncode == 0, f"{result}; start: {told.stderr}"

    sweep(berth, first.points, check, first=1 + ("main", "caller", "all").index(victim))


def test_kill_before_the_program(berth, driver):
    """Exit status 0 of run -d means that the program was executed."""
    inject = Injector(berth, driver)
    first = measure(berth, inject, "run", "-d")

    def check(container, number):
        result = inject("run", "-d", "-b", inject.bundle, container, at=number, fault="caller")
        assert not result.hung, result
        assert result.status != 0 or result.output.endswith(END), f"success without the program: {result}"

    sweep(berth, first.points, check, first=1 if LONG else 4)


@pytest.mark.parametrize("options", ((), ("--hold",), ("--tools",)), ids=("plain", "hold", "tools"))
def test_call_fails_in_exec(berth, driver, options):
    """A success is a process, a failure leaves none, no pid file and no gate."""
    inject = Injector(berth, driver)
    container = berth.running()
    pid_file = berth.folder / "pid"
    if options == ("--tools",):
        options = ("--tools", berth.rootfs / "bin")
    words = ("exec", "-d", *options, "--pid-file", pid_file, container, "sleep", "1000")
    before = berth.ok("ps", "-f", "json", container), sorted(os.listdir(berth.root / container))

    def end():
        """What a success has made; its gate is what an engine kills it without."""
        descriptor = os.pidfd_open(int(pid_file.read_text()))
        signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        assert select.select([descriptor], [], [], 10)[0]
        os.close(descriptor)
        pid_file.unlink()
        for gate in (berth.root / container).glob("held.*"):
            gate.unlink()

    first = inject(*words)
    assert first.status == 0, first
    end()
    wrong = []
    for number in points_of(first.points):
        result = inject(*words, at=number, fault=ERRORS[number % len(ERRORS)])
        if pid_file.exists() != (result.status == 0) or result.hung:
            wrong.append(f"{number}: {result}")
        if pid_file.exists():
            end()
        after = berth.ok("ps", "-f", "json", container), sorted(os.listdir(berth.root / container))
        if after != before:
            wrong.append(f"{number}: left {after}, was {before}: {result}")
            break
    assert wrong == [], "\n".join(wrong)


@pytest.mark.parametrize("command", ("start", "delete"))
def test_kill_in(berth, driver, command):
    inject = Injector(berth, driver)
    words = {"start": ("start",), "delete": ("delete", "--force")}[command]

    def made():
        container = berth.new_id()
        berth.ok("create", "-b", inject.bundle, container)
        return container

    container = made()
    first = inject(*words, container)
    assert first.status == 0, first
    berth("delete", "--force", container)

    def check(container, number):
        berth.ok("create", "-b", inject.bundle, container)
        result = inject(*words, container, at=number, fault="main")
        assert not result.hung, result

    sweep(berth, first.points, check)
