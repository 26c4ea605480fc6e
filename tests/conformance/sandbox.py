# SPDX-License-Identifier: Apache-2.0
"""Runs one test where nothing of it can stay: enter.sh makes the place, this ends it."""

import os
import pathlib
import signal
import subprocess
import time
from dataclasses import dataclass

CGROUPS = pathlib.Path("/sys/fs/cgroup")
ENTER = pathlib.Path(__file__).with_name("enter.sh")


@dataclass(frozen=True)
class Place:
    """Where a test runs: its name among those that run now, the cgroup layout, an empty directory for its files."""

    name: str
    layout: str
    directory: pathlib.Path


def own_cgroups() -> list[pathlib.Path]:
    """Where tests get their cgroups, as directories of the machine's mounts: in our own of each hierarchy; on pure v2 beside
    ours, which holds processes and so can give no controllers."""
    paths = {}
    for line in pathlib.Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        paths[controllers.removeprefix("name=")] = path.lstrip("/")
    found = []
    for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines():
        before, after = line.split(" - ", 1)
        kind, options = after.split()[0], set(after.split()[2].removeprefix("rw,").replace("name=", "").split(","))
        keys = [key for key in paths if key and set(key.split(",")) <= options] if kind == "cgroup" else [""]
        if kind in ("cgroup", "cgroup2") and keys and keys[0] in paths:
            found.append(pathlib.Path(before.split()[4], paths[keys[0]]))
    if layout_here() == "v2":
        return [path.parent if path != CGROUPS else path for path in found]
    return found


def layout_here() -> str:
    if (CGROUPS / "cgroup.procs").exists():
        return "v2"
    return "hybrid" if (CGROUPS / "unified/cgroup.procs").exists() else "v1"


def thaw(directory: pathlib.Path) -> None:
    """A frozen process does not die, and we would wait for it."""
    for name, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
        for file in directory.rglob(name):
            file.write_text(word)


def sweep() -> None:
    """Removes what a run that was killed left: cgroups, and the processes that were frozen as their runner died."""
    left = [directory for own in own_cgroups() for directory in own.glob("berth-conformance-*")
            if not pathlib.Path("/proc", directory.name.split("-")[2]).exists()]
    for directory in left:
        thaw(directory)
    for file in (file for directory in left for file in directory.rglob("cgroup.procs")):
        for pid in file.read_text().split():
            kill(int(pid))
    for directory in left:
        remove_tree(directory)


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def remove_tree(directory: pathlib.Path) -> None:
    """Removes the cgroups from the deepest on. A cgroup is busy for a moment after the last process is reaped."""
    for path, _, _ in os.walk(directory, topdown=False):
        end = time.monotonic() + 5
        while os.path.isdir(path):
            try:
                os.rmdir(path)
            except OSError as error:
                if time.monotonic() > end:
                    raise SystemExit(f"conformance: cannot remove the cgroup {path}: {error}") from error
                time.sleep(0.01)


def end(process: subprocess.Popen, group: str) -> None:
    """Kills the first process of the namespace, with which the kernel kills all the others before it can be reaped;
    so when enter.sh has ended, nothing is left."""
    for directory in own_cgroups():
        thaw(directory / group)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children")
    try:
        pids = [int(word) for word in children.read_text().split()]
    except OSError:
        pids = []
    for pid in pids or [process.pid]:
        kill(pid)
    process.wait()


def run(place: Place, command: list[str], environment: dict, log: pathlib.Path, limit: float) -> int | None:
    """The command's status, or None when it took longer than the limit (in seconds). What it prints goes to the
    log; it has no input."""
    group = f"berth-conformance-{os.getpid()}-{place.name}"
    with log.open("wb") as sink:
        started = ["setpriv", "--pdeathsig", "KILL", str(ENTER), group, place.layout, str(place.directory), *command]
        process = subprocess.Popen(started, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT,
                                   env=environment, start_new_session=True)
        try:
            return process.wait(timeout=limit)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                end(process, group)
            for directory in own_cgroups():
                if (directory / group).is_dir():
                    remove_tree(directory / group)
