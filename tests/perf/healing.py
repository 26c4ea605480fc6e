# SPDX-License-Identifier: Apache-2.0
"""How long `berth lxcfs remount --all` takes for 20 containers whose lxcfs was killed and started anew, and `mount` where there was
nothing; and what the kernel takes for as many umount2(2) alone, in the same rounds. Debian has no other tool for it."""

import json
import pathlib
import statistics
import subprocess
import time

CONTAINERS = 20
FILES = 8  # in each, as the mark has it; lxcfs 5 offers one more
ROUNDS = 15
QUIET = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Lxcfs:
    def __init__(self, folder: pathlib.Path):
        self.mount = folder / "lxcfs"
        self.pid_file = folder / "lxcfs.pid"
        self.mount.mkdir(parents=True)
        self.process = None

    def start(self) -> None:
        self.process = subprocess.Popen(["lxcfs", "-f", "-p", self.pid_file, self.mount], **QUIET)
        while not (self.mount / "proc/uptime").exists():
            pass
        (self.mount / "proc/uptime").read_text()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        subprocess.run(["umount", "--lazy", self.mount], check=True)


def timed(*words: str) -> tuple[float, list]:
    """Milliseconds, and what it says."""
    start = time.perf_counter()
    done = subprocess.run(words, check=True, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    return (time.perf_counter() - start) * 1000, json.loads(done.stdout)


def count(reports: list, wanted: str) -> int:
    return sum(file["result"] == wanted for report in reports for file in report["files"])


def rounds(lxcfs: Lxcfs, act, remove, unmounts) -> dict:
    healing, mounting, floor, files = [], [], [], CONTAINERS * FILES
    for _ in range(ROUNDS):
        spent, reports = act("mount")
        mounting.append(spent)
        for report in reports:
            remove(report["id"], [file["path"] for file in report["files"] if file["result"] == "mounted"][FILES:])
        lxcfs.kill()
        lxcfs.start()
        spent, reports = act("remount")
        assert count(reports, "healed") == files, reports
        healing.append(spent)
        floor.append(unmounts(files))
        act("umount")
    return {"files": files, "heal_ms": statistics.median(healing), "mount_ms": statistics.median(mounting),
            "unmounts_ms": statistics.median(floor)}


def measure(berth: str, unmounts: str, folder: pathlib.Path, state: pathlib.Path) -> dict:
    command = (berth, f"--root={state / 'lxcfs'}")
    names = [f"bench-lxcfs-{number}" for number in range(CONTAINERS)]
    lxcfs = Lxcfs(folder)
    place = folder / "unmounts"
    place.mkdir()
    lxcfs.start()

    def act(action):
        return timed(*command, "lxcfs", action, "--all", "--format", "json", "--lxcfs", str(lxcfs.mount))

    def remove(name, paths):
        if paths:
            subprocess.run([*command, "mounts", "remove", name, *paths], check=True, **QUIET)

    def unmounted(files):
        done = subprocess.run([unmounts, str(files), place], check=True, text=True, stdout=subprocess.PIPE)
        return float(done.stdout)

    try:
        for name in names:
            subprocess.run([*command, "box", "--detach", "--id", name, "sleep", "1000"], check=True, **QUIET)
        return rounds(lxcfs, act, remove, unmounted)
    finally:
        for name in names:
            subprocess.run([*command, "delete", "--force", name], check=False, **QUIET)
        lxcfs.kill()
