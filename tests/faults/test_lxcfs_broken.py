# SPDX-License-Identifier: Apache-2.0
"""Each state-changing system call of mounting, healing and unmounting the files of lxcfs fails, or berth is killed there: then the
same again, and each file is there exactly once."""
import errno
import pathlib

import pytest
from conftest import LONG
from injector import Injector
from own_lxcfs import alone, needs_lxcfs, running

pytestmark = needs_lxcfs


@pytest.fixture
def lxcfs(tmp_path):
    with alone(), running(tmp_path) as program:
        yield program


def portrait(berth, container):
    lines = pathlib.Path(f"/proc/{berth.state(container)['pid']}/mountinfo").read_text().splitlines()
    return sorted(line.split(" ", 2)[2] for line in lines)


@pytest.mark.parametrize("fault", (errno.EPERM, errno.ENOMEM, "main"))
def test_mount_remount_umount(berth, driver, lxcfs, fault):
    inject = Injector(berth, driver, lambda config: None)
    container = berth.new_id()
    assert inject("run", "-d", "-b", inject.bundle, container).status == 0
    bare = portrait(berth, container)

    def words(action):
        return "lxcfs", action, f"--lxcfs={lxcfs.mount}", container

    def broken(action, at=0):
        result = inject(*words(action), at=at, fault=fault) if at else inject(*words(action))
        assert not result.hung, result
        done = berth(*words(action))
        assert done.returncode == 0, f"{result}: {done.stdout}"
        return result

    points = max(broken("mount").points, broken("umount").points)
    step = 1 if LONG else 3 if fault == "main" else 11
    for number in range(1, points + 1, step):
        result = broken("mount", number)
        whole = portrait(berth, container)
        files = [line.split()[2] for line in whole if " - fuse.lxcfs " in line]
        assert len(files) == len(set(files)) > 5, str(result)
        lxcfs.restart()
        result = broken("remount", number)
        healed = [line.split()[2] for line in portrait(berth, container) if " - fuse.lxcfs " in line]
        assert sorted(healed) == sorted(files), str(result)
        assert berth("lxcfs", "check", f"--lxcfs={lxcfs.mount}", container).returncode == 0, str(result)
        result = broken("umount", number)
        assert portrait(berth, container) == bare, str(result)
