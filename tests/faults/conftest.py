# SPDX-License-Identifier: Apache-2.0
"""Everything broken on purpose: afterwards nothing may be left. The program's own tests lend the harness."""
import os
import pathlib
import subprocess
import sys

import pytest

TESTS = pathlib.Path(__file__).resolve().parents[1]
LONG = os.environ.get("BERTH_FAULTS_LONG") == "1"  # every point, instead of every fifth

sys.path.insert(0, str(TESTS / "support"))
from harness import cli  # noqa: E402

rootfs = cli.rootfs


class Berth(cli.Berth):
    def assert_clean(self, told=""):
        left = list(self.leaks())
        assert left == [], f"{left}\n{told}"

    def leaks(self):
        """A process that has just been killed is on its way out for a moment: it is waited for."""
        left = list(super().leaks())
        for line in left:
            if line.startswith("process "):
                wait_gone(int(line.split()[1]))
        return [line for line in super().leaks()] if left else []


def wait_gone(pid, seconds=5):
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    cli.select.select([descriptor], [], [], seconds)
    os.close(descriptor)


@pytest.fixture
def berth(tmp_path, rootfs):
    program = Berth(tmp_path, rootfs)
    yield program
    program.clean()
    program.assert_clean()


@pytest.fixture(scope="session")
def driver(tmp_path_factory):
    """Breaks a command at its N-th state-changing system call. A guest has no compiler: FAULT_DRIVER names it there."""
    if named := os.environ.get("FAULT_DRIVER"):
        return pathlib.Path(named)
    program = tmp_path_factory.mktemp("driver") / "driver"
    source = pathlib.Path(__file__).with_name("driver.cc")
    subprocess.run(["g++", "-std=c++23", "-O1", "-Wall", "-Wextra", "-Werror", source, "-o", program], check=True)
    return program
