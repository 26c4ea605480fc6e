# SPDX-License-Identifier: Apache-2.0
"""Each version of lxcfs from 4 to 7, and the way from one to another while containers run. The guest has them all."""
import contextlib
import json
import pathlib
import sys

import pytest

from machine import needs_root
from test_lxcfs import container_of, is_right, layers, mountinfo, results

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from own_lxcfs import INSTALLED, VERSIONS, alone, command_of, needs_lxcfs, running  # noqa: E402

pytestmark = [needs_root, needs_lxcfs]
UNIFIED = pathlib.Path("/sys/fs/cgroup/cgroup.controllers").exists()


def need(version):
    if command_of(version) is None:
        pytest.skip(f"this machine has no lxcfs {version}")
    if version == "7" and not UNIFIED:
        pytest.skip("lxcfs 7 needs cgroup v2")


@contextlib.contextmanager
def lxcfs_of(folder, version):
    with alone(), running(folder, version) as program:
        yield program


def offered(lxcfs, found):
    """Those of its files that this container has."""
    return sorted(path for path in lxcfs.files() if found[path] != "skipped")


@pytest.mark.parametrize("version", VERSIONS)
def test_life(berth, tmp_path, version):
    need(version)
    with lxcfs_of(tmp_path, version) as lxcfs:
        container = container_of(berth)
        before = mountinfo(berth, container)
        found = results(berth, lxcfs, "mount", container)
        assert set(found) == lxcfs.files() and set(found.values()) <= {"mounted", "skipped"}
        assert ("/sys/devices/system/cpu/online" if version == "4" else "/sys/devices/system/cpu") in found
        pressure = pathlib.Path("/proc/pressure/cpu")
        assert version < "7" or found[str(pressure)] == ("mounted" if pressure.exists() else "skipped")
        there = offered(lxcfs, found)
        assert "/proc/meminfo" in there and sorted(layers(berth, container)) == there and is_right(berth, container)
        lxcfs.kill()
        assert set(results(berth, lxcfs, "status", container).values()) == {"stale"}
        lxcfs.start()
        assert set(results(berth, lxcfs, "remount", container).values()) == {"healed"}
        assert sorted(layers(berth, container)) == there and is_right(berth, container)
        assert set(results(berth, lxcfs, "umount", container).values()) == {"unmounted"}
        assert mountinfo(berth, container) == before


def test_from_one_to_another(berth, tmp_path):
    """Up to the newest and back: what the next one has is healed, what it has no longer goes, and `mount` adds what is new."""
    versions = [each for each in VERSIONS if command_of(each) and (each != "7" or UNIFIED)]
    if len(versions) == 1:
        pytest.skip(f"this machine has lxcfs {INSTALLED} only")
    with lxcfs_of(tmp_path, versions[0]) as lxcfs:
        container = container_of(berth)
        before = mountinfo(berth, container)
        there = set(offered(lxcfs, results(berth, lxcfs, "mount", container)))
        for version in (*versions[1:], *versions[-2::-1]):
            lxcfs.version = version
            lxcfs.restart()
            now = lxcfs.files()
            expected = {path: "healed" if path in now else "unmounted" for path in there}
            assert results(berth, lxcfs, "remount", container) == expected, version
            found = results(berth, lxcfs, "mount", container)
            there = set(offered(lxcfs, found))
            assert sorted(layers(berth, container)) == sorted(there) and is_right(berth, container), version
            listed = json.loads(berth.ok("mounts", "list", "--format", "json", container))
            assert {each["destination"] for each in listed} == there and all(each["there"] for each in listed), version
        assert set(results(berth, lxcfs, "umount", container).values()) == {"unmounted"}
        assert mountinfo(berth, container) == before
