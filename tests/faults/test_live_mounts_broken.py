# SPDX-License-Identifier: Apache-2.0
"""Each state-changing system call of adding and removing mounts fails, or berth is killed there: then the same request again, and
each mount is there exactly once, or not at all."""
import errno
import json
import pathlib

import pytest
from conftest import LONG
from injector import Injector


@pytest.fixture
def running(berth, driver, tmp_path):
    source = tmp_path / "source"
    source.mkdir()
    (source / "file").touch()
    inject = Injector(berth, driver, lambda config: None)
    container = berth.new_id()
    assert inject("run", "-d", "-b", inject.bundle, container).status == 0
    return inject, container, ("--token", "mine", container, f"{source}:/dev/shm/a:ro", "tmpfs::/dev/shm/b", f"{source}/file:/dev/shm/c")


def mountinfo(berth, container):
    return pathlib.Path(f"/proc/{berth.state(container)['pid']}/mountinfo").read_text()


def added(berth, container):
    places = [line.split()[4] for line in mountinfo(berth, container).splitlines()]
    return [place for place in places if place.startswith("/dev/shm/")]


@pytest.mark.parametrize("fault", (errno.EPERM, errno.ENOMEM, "main"))
def test_add(berth, running, fault):
    inject, container, words = running
    before = mountinfo(berth, container)
    first = inject("mounts", "add", *words)
    assert first.status == 0, first
    berth.ok("mounts", "remove", container, "mine")
    assert mountinfo(berth, container) == before
    for number in range(1, first.points + 1, 1 if LONG or fault == "main" else 2):
        result = inject("mounts", "add", *words, at=number, fault=fault)
        assert not result.hung, result
        if fault != "main" and result.status != 0 and "standard output" not in result.told:
            assert result.told.strip() and mountinfo(berth, container) == before, str(result)
        berth.ok("mounts", "add", *words)
        assert added(berth, container) == ["/dev/shm/a", "/dev/shm/b", "/dev/shm/c"], str(result)
        berth.ok("mounts", "remove", container, "mine")
        assert mountinfo(berth, container) == before, str(result)
        assert berth.ok("exec", container, "ls", "/dev/shm") == "", str(result)


@pytest.mark.parametrize("fault", (errno.EPERM, "main"))
def test_remove(berth, running, fault):
    inject, container, words = running
    before = mountinfo(berth, container)
    berth.ok("mounts", "add", *words)
    points = inject("mounts", "remove", container, "mine").points
    for number in range(1, points + 1):
        berth.ok("mounts", "add", *words)
        result = inject("mounts", "remove", container, "mine", at=number, fault=fault)
        assert not result.hung, result
        if json.loads(berth.ok("mounts", "list", "-f", "json", container)):
            berth.ok("mounts", "remove", container, "mine")
        assert mountinfo(berth, container) == before, str(result)
