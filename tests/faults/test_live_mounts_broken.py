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


def portrait(berth, container):
    """Without the ids of mounts: what was put back has another one."""
    return sorted(line.split(" ", 2)[2] for line in mountinfo(berth, container).splitlines())


def tokens(berth, container):
    found = json.loads(berth.ok("mounts", "list", "-f", "json", container))
    assert all(each["there"] for each in found), found
    return [each["token"] for each in found]


@pytest.mark.parametrize("fault", (errno.EPERM, errno.ENOMEM, "main"))
def test_replace(berth, running, tmp_path, fault):
    inject, container, _ = running
    (tmp_path / "two").touch()
    (tmp_path / "folder").mkdir()
    old = ("mounts", "add", "--token", "old", container, f"{tmp_path}/source:/dev/shm/a:ro", f"{tmp_path}/source/file:/dev/shm/b")
    new = ("mounts", "replace", "--token", "new", container, f"{tmp_path}/folder:/dev/shm/a", f"{tmp_path}/two:/dev/shm/b:ro")
    berth.ok(*old)
    before = portrait(berth, container)
    first = inject(*new)
    assert first.status == 0, first
    after = portrait(berth, container)
    for number in range(1, first.points + 1, 1 if LONG or fault == "main" else 2):
        berth.ok("mounts", "remove", container, "new")
        berth.ok(*old)
        result = inject(*new, at=number, fault=fault)
        assert not result.hung, result
        if fault != "main" and result.status != 0 and "standard output" not in result.told:
            assert result.told.strip() and portrait(berth, container) == before, str(result)
            assert tokens(berth, container) == ["old", "old"], str(result)
        berth.ok(*new)
        assert portrait(berth, container) == after and tokens(berth, container) == ["new", "new"], str(result)


@pytest.mark.parametrize("fault", (errno.EPERM, "main"))
def test_change(berth, running, tmp_path, fault):
    inject, container, _ = running
    berth.ok("mounts", "add", container, f"{tmp_path}/source:/dev/shm/a", "tmpfs::/dev/shm/b")
    before = portrait(berth, container)
    words = ("mounts", "change", container, "/dev/shm/a:ro,noatime", "/dev/shm/b:noexec")
    first = inject(*words)
    after = portrait(berth, container)
    assert first.status == 0 and after != before, first
    for number in range(1, first.points + 1):
        berth.ok("mounts", "change", container, "/dev/shm/a:rw,relatime", "/dev/shm/b:exec")
        assert portrait(berth, container) == before
        result = inject(*words, at=number, fault=fault)
        assert not result.hung, result
        if fault != "main":
            assert portrait(berth, container) == (before if result.status else after), str(result)
        berth.ok(*words)
        assert portrait(berth, container) == after, str(result)
