# SPDX-License-Identifier: Apache-2.0
"""Containers that go on when the test says so, in cgroups whose limits the test knows."""
import contextlib
import ctypes
import os
import pathlib

from machine import CGROUPS, ON_V2

MEBIBYTE = 1 << 20
PR_SET_CHILD_SUBREAPER = 36
# Takes more memory than any limit of these tests.
EAT = "dd if=/dev/zero of=/dev/null bs=80M count=1 2>/dev/null"


def make_bundle(berth, script, memory=None, cgroup=None, name="held"):
    bundle = berth.bundle("sh", "-c", script, name=name)
    config = berth.read_config(bundle)
    if memory:
        config["linux"].setdefault("resources", {})["memory"] = {"limit": memory, "swap": memory}
    if cgroup:
        config["linux"]["cgroupsPath"] = cgroup
    berth.write_config(bundle, config)
    return bundle


class Held:
    """A detached container whose program waits for a line before it does `script`."""

    def __init__(self, berth, script, command="run", **options):
        self.berth = berth
        self.id = berth.new_id()
        bundle = make_bundle(berth, f"read line; {script}", name=f"bundle-{self.id}", **options)
        theirs, self.line = os.pipe()
        berth.open_ends.append(self.line)
        arguments = ["run", "-d"] if command == "run" else [command]
        berth.ok(*arguments, "-b", bundle, self.id, stdin=theirs)
        os.close(theirs)
        self.pid = berth.state(self.id)["pid"]

    def go(self):
        os.write(self.line, b"go\n")


@contextlib.contextmanager
def as_reaper():
    """What loses its parent becomes ours: it stays a zombie until the test reaps it."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def await_end(pid):
    """Until a process is a zombie; it must be ours."""
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


def hierarchies():
    return [CGROUPS] if ON_V2 else [folder for folder in CGROUPS.iterdir() if (folder / "cgroup.procs").exists()]


def memory_directory(path):
    return (CGROUPS if ON_V2 else CGROUPS / "memory") / path.lstrip("/")


def limit_memory(path, limit):
    for file in ("memory.max", "memory.swap.max") if ON_V2 else ("memory.limit_in_bytes", "memory.memsw.limit_in_bytes"):
        knob = memory_directory(path) / file
        if knob.exists():
            knob.write_text("0" if file == "memory.swap.max" else str(limit))


def remove_cgroup(path):
    for folder in hierarchies():
        place = folder / path.lstrip("/")
        if place.exists():
            place.rmdir()


def memory_cgroup(pid):
    """The path of a process's memory cgroup, below the mount of its hierarchy."""
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers.split(",") == [""] if ON_V2 else "memory" in controllers.split(","):
            return path
    raise AssertionError("no memory cgroup")
