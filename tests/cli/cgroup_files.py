# SPDX-License-Identifier: Apache-2.0
"""The files of a container's cgroup, from outside and from inside, on v1 and v2."""
import functools
import os
import pathlib

import pytest

from machine import CGROUPS, ON_V2, own_tree


def folders(pid):
    """The cgroups of a process in all hierarchies that are mounted."""
    for line in pathlib.Path(f"/proc/{pid}/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for mount in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
            fields = mount.split()
            kind = fields[fields.index("-") + 1:]
            fits = kind[0] == "cgroup2" if not controllers else kind[0] == "cgroup" and set(
                controllers.split(",")) <= set(kind[2].split(","))
            if fits:
                yield pathlib.Path(fields[4] + path)


def find(berth, container, file):
    """The file of the container's cgroup; skips where this machine has none."""
    found = [folder / file for folder in folders(berth.state(container)["pid"])]
    return next((path for path in found if path.exists()), None) or pytest.skip(f"this machine has no {file}")


def limit(berth, container, file):
    return find(berth, container, file).read_text().strip()


def inside(berth, container, file):
    """The same by a process of the container, at its /sys/fs/cgroup."""
    path = find(berth, container, file)
    hierarchy = "" if ON_V2 or file.startswith("cgroup.") else f"{path.relative_to('/sys/fs/cgroup').parts[0]}/"
    return berth.ok("exec", container, "cat", f"/sys/fs/cgroup/{hierarchy}{file}").strip()


def skip_without(v1, v2):
    """Of the two names of a file, the one of this machine; skips where it has none."""
    name = v2 if ON_V2 else v1
    return name or pytest.skip("only the other version of cgroups has that")


@functools.cache
def files_of(controller):
    """The files that this kernel gives a cgroup for the controller: found in a new one, which is removed at once. None
    where we may make no cgroup."""
    place = own_tree() if ON_V2 else CGROUPS / controller
    if not place.exists():
        return frozenset()
    if ON_V2 and controller in (place / "cgroup.controllers").read_text().split():
        (place / "cgroup.subtree_control").write_text(f"+{controller}")
    probe = place / f"berth-probe-{os.getpid()}"
    try:
        probe.mkdir()
    except PermissionError:
        return frozenset()
    try:
        return frozenset(path.name for path in probe.iterdir())
    finally:
        probe.rmdir()


def kernel_has(file):
    return file in files_of(file.split(".")[0])
