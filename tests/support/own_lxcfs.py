# SPDX-License-Identifier: Apache-2.0
"""An lxcfs of a test's own, that can be killed, stopped and started anew."""
import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess

import pytest

needs_lxcfs = pytest.mark.skipif(shutil.which("lxcfs") is None or not os.path.exists("/dev/fuse"),
                                 reason="this machine has no lxcfs or no FUSE")
# The versions that Debian has but not this machine's suite, each in a folder with its libraries: tests/guest/image.
OTHERS = pathlib.Path("/usr/lib/guest-lxcfs")
INSTALLED = "5"  # Debian 12's
VERSIONS = ("4", INSTALLED, "6", "7")
# `remount --all` is about every container of the host, those of a test beside this one, too.
LOCK = "/tmp/berth-test-lxcfs.lock"


def command_of(version):
    """The major version's program; None where this machine has it not."""
    if version == INSTALLED:
        return ["lxcfs"]
    for root in OTHERS.glob(f"{version}.*"):
        loader = next(root.rglob("x86_64-linux-gnu/ld-linux-*.so.2"))
        libraries = (root / "lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu", root / "usr/lib/x86_64-linux-gnu/lxcfs")
        return [loader, "--library-path", ":".join(map(str, libraries)), root / "usr/bin/lxcfs"]
    return None


class Lxcfs:
    """BERTH_LXCFS_VERSION: the major version, where a test does not choose it."""

    def __init__(self, folder):
        self.version = os.environ.get("BERTH_LXCFS_VERSION", INSTALLED)
        self.mount = folder / "lxcfs"
        self.pid_file = folder / "lxcfs.pid"
        self.mount.mkdir()
        self.process = None

    def start(self):
        """It answers when this returns. What an earlier one left is unmounted first, as lxcfs's own service does."""
        self.unmount()
        self.process = subprocess.Popen([*command_of(self.version), "-f", "-p", self.pid_file, self.mount], stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        with open("/proc/self/mountinfo") as mounts:  # poll(2) would tell a change, which may be another's
            while not any(f" {self.mount} " in line for line in mounts):
                assert self.process.poll() is None, "lxcfs has ended"
                mounts.seek(0)
        (self.mount / "proc/uptime").read_text()

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        self.kill()
        self.start()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def unmount(self):
        while any(f" {self.mount} " in line for line in pathlib.Path("/proc/self/mountinfo").read_text().splitlines()):
            subprocess.run(["umount", "--lazy", self.mount], check=True)

    def end(self):
        if self.process and self.process.poll() is None:
            self.go_on()
            self.kill()
        self.unmount()

    def files(self):
        """What it offers, as a container shall see it."""
        processors = pathlib.Path("sys/devices/system/cpu")
        if not (self.mount / processors / "uevent").exists():  # before lxcfs 5 there is no more in it
            processors /= "online"
        files = [path.relative_to(self.mount) for path in (self.mount / "proc").rglob("*") if not path.is_dir()]
        return {f"/{path}" for path in (*files, processors)}


@contextlib.contextmanager
def alone():
    with open(LOCK, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def running(folder, version=None):
    program = Lxcfs(folder)
    program.version = version or program.version
    try:
        program.start()
        yield program
    finally:
        program.end()
