# SPDX-License-Identifier: Apache-2.0
"""Where exec puts a process among the cgroups of a container: its own, one below, or that of the first process."""
import contextlib
import os
import pathlib

import pytest

from held import hierarchies
from machine import CGROUPS, ON_V2, needs_cgroup, needs_controllers, needs_root

pytestmark = [needs_root, needs_cgroup]
on_v2 = pytest.mark.skipif(not ON_V2, reason="it is about cgroup v2")
on_v1 = pytest.mark.skipif(ON_V2, reason="it is about cgroup v1")
WHERE = ("cat", "/proc/self/cgroup")


class Grown:
    """A running container that has cgroups in its own one. They are made from outside: v1 does not ask who does it."""

    def __init__(self, berth):
        self.berth = berth
        self.id = berth.new_id()
        self.path = f"/berth-exec-{self.id}"
        bundle = berth.bundle("sh", "-c", "while read line; do eval $line; done", name=f"bundle-{self.id}")
        config = berth.read_config(bundle)
        config["linux"]["cgroupsPath"] = self.path
        config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "cgroup"]
        berth.write_config(bundle, config)
        berth.run_waiting(bundle, self.id)
        self.pid = berth.state(self.id)["pid"]

    def folders(self):
        return [folder / self.path.lstrip("/") for folder in hierarchies()]

    def grow(self, name, *folders):
        for folder in folders or self.folders():
            for part in name.split("/"):
                folder, above = folder / part, folder
                folder.mkdir(exist_ok=True)
                for file in ("cpuset.cpus", "cpuset.mems"):  # v1: without them it takes no process
                    if not ON_V2 and (above / file).exists():
                        (folder / file).write_text((above / file).read_text())

    def where(self, *options):
        """Its place in each hierarchy, below the container's own."""
        lines = self.berth.ok("exec", *options, self.id, *WHERE).splitlines()
        return {line.split(":")[1]: line.split(":")[2].partition(self.path)[2] for line in lines
                if self.path in line}

    def refused(self, *options):
        return self.berth.fails("exec", *options, self.id, "true", code=255)


@pytest.fixture
def grown(berth):
    return Grown(berth)


def test_its_own(grown):
    assert set(grown.where().values()) == set(grown.where("--cgroup", "/").values()) == {""}


def test_below_in_every_hierarchy(grown):
    grown.grow("a/b")
    assert set(grown.where("--cgroup", "a/b").values()) == {"/a/b"}
    assert set(grown.where("--cgroup", "//a/./b/").values()) == {"/a/b"}


def test_failed_exec_in_it_leaves_nothing(grown, tmp_path):
    grown.grow("a")
    told = grown.berth.fails("exec", "-d", "--cgroup", "a", "--pid-file", tmp_path / "pid", grown.id, "no-such", code=255)
    assert "executable file not found" in told and not (tmp_path / "pid").exists()
    for folder in grown.folders():
        if (folder / "a").exists():
            assert (folder / "a/cgroup.procs").read_text() == ""


@pytest.mark.parametrize("options, text", [
    ((".."), " .. is not a sub cgroup path"),
    (("a/../../b"), "bad sub cgroup path"),
    (("none"), " adding pid "),
    (("none/below"), "/none/below/cgroup.procs: no such file or directory"),
    ((":a"), "empty <controller> prefix"),
    (("moon:a"), "unknown controller moon"),
])
def test_refused(grown, options, text):
    assert text in grown.refused("--cgroup", options)


def test_two_without_controllers(grown):
    assert "missing <controller>: prefix" in grown.refused("--cgroup", "a", "--cgroup", "b")


@on_v1
def test_by_controller(grown):
    grown.grow("m", CGROUPS / "memory" / grown.path.lstrip("/"))
    grown.grow("p", CGROUPS / "pids" / grown.path.lstrip("/"))
    seen = grown.where("--cgroup", "memory:m", "--cgroup", "pids:/p")
    assert seen.pop("memory") == "/m" and seen.pop("pids") == "/p" and set(seen.values()) == {""}


@on_v1
def test_controller_twice_or_two_in_one_hierarchy(grown):
    assert "specified multiple times" in grown.refused("--cgroup", "memory:a", "--cgroup", "pids,memory:b")
    together = [folder.name for folder in hierarchies() if "," in folder.name and not folder.is_symlink()]
    if not together:
        pytest.skip("no hierarchy here has two controllers")
    first, second = together[0].split(",")[:2]
    assert "are in one hierarchy" in grown.refused("--cgroup", f"{first}:a", "--cgroup", f"{second}:b")


@on_v2
def test_controllers_are_of_v1(grown):
    assert "unknown controller memory" in grown.refused("--cgroup", "memory:a")


@contextlib.contextmanager
def full(grown):
    """The first process is in `inner`; the container's own cgroup gives a controller away, one that
    threads cannot have, and can hold nobody."""
    own = grown.folders()[0]
    grown.grow("inner")
    (own / "inner/cgroup.procs").write_text(str(grown.pid))
    (own / "cgroup.subtree_control").write_text("+memory")
    yield own
    (own / "cgroup.subtree_control").write_text("-memory")


@on_v2
@needs_controllers
def test_follows_the_first_process(grown):
    with full(grown):
        assert grown.where() == {"": "/inner"}


@on_v2
def test_stays_where_it_can(grown):
    """A first process that has moved is not followed while the container's own cgroup takes processes."""
    grown.grow("inner")
    (grown.folders()[0] / "inner/cgroup.procs").write_text(str(grown.pid))
    assert grown.where() == {"": ""}


@on_v2
@needs_controllers
def test_does_not_follow_when_a_place_is_named(grown):
    with full(grown):
        told = grown.refused("--cgroup", "/")
        assert " adding pid " in told and " to cgroups" in told and "device or resource busy" in told
        assert "name one with --cgroup" in told
        grown.grow("second")
        assert grown.where("--cgroup", "second") == {"": "/second"}


@on_v2
@needs_controllers
def test_does_not_follow_out_of_the_container(grown):
    """The first process was moved away altogether: its place has other limits."""
    elsewhere = pathlib.Path(CGROUPS, f"berth-elsewhere-{os.getpid()}")
    elsewhere.mkdir()
    try:
        with full(grown):
            (elsewhere / "cgroup.procs").write_text(str(grown.pid))
            assert "device or resource busy" in grown.refused()
            (grown.folders()[0] / "inner/cgroup.procs").write_text(str(grown.pid))
    finally:
        elsewhere.rmdir()


@on_v2
def test_cgroup_that_can_hold_no_process(grown):
    """Threaded cgroups make those beside them invalid."""
    own = grown.folders()[0]
    grown.grow("a/b")
    grown.grow("a/c")
    (own / "a/b/cgroup.type").write_text("threaded")
    assert (own / "a/c/cgroup.type").read_text() == "domain invalid\n"
    told = grown.refused("--cgroup", "a/c")
    assert 'its cgroup.type is "domain invalid"' in told
    assert grown.where("--cgroup", "a") == {"": "/a"}  # "domain threaded": its root may hold processes
