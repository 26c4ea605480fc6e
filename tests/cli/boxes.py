# SPDX-License-Identifier: Apache-2.0
"""Boxes of the tests: containers that `berth box` runs."""
import os
import pathlib
import select
import subprocess

TIMEOUT = 30  # seconds; for what hangs, never for what is slow


def programs(prefix, word=None):
    """The pids of berth's processes, with that word, that name a container whose id begins with prefix."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            words = pathlib.Path("/proc", pid, "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        named = any(each.startswith(prefix.encode()) for each in words)
        if named and words[0].endswith(b"berth") and (word is None or word in words):
            yield int(pid)


def keepers(prefix):
    return programs(prefix, b"__keep")


def await_keepers(prefix):
    """A keeper ends by itself once its container has."""
    await_ends(keepers(prefix))


def await_children(prefix):
    """Those, too, that `run` and `exec` have forked."""
    await_ends(programs(prefix))


def await_ends(pids):
    for pid in list(pids):
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        ended, _, _ = select.select([descriptor], [], [], TIMEOUT)
        os.close(descriptor)
        assert ended, f"keeper {pid} has not ended"


class Boxes:
    def __init__(self, berth):
        self.berth = berth

    def words(self, *arguments, name="c", rootfs=True):
        """The id, and the words of a command line."""
        box = self.berth.new_id(name)
        root = ("--rootfs", self.berth.rootfs) if rootfs else ()
        return box, ("box", "--id", box, *root, *arguments)

    def __call__(self, *arguments, rootfs=True, **options):
        return self.berth(*self.words(*arguments, rootfs=rootfs)[1], **options)

    def ok(self, *arguments, rootfs=True, **options):
        return self.berth.ok(*self.words(*arguments, rootfs=rootfs)[1], **options)

    def fails(self, *arguments, rootfs=True, **options):
        return self.berth.fails(*self.words(*arguments, rootfs=rootfs)[1], **options)

    def start(self, *arguments, **options):
        """The id of a detached one."""
        box, words = self.words("--detach", *arguments, **options)
        assert self.berth.ok(*words) == box + "\n"
        return box

    def popen(self, *arguments, **options):
        """A process in the foreground, and the id."""
        box, words = self.words(*arguments)
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.berth.command(*words), **(pipes | options)), box

    def attach(self, box, *arguments, **options):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(self.berth.command("attach", *arguments, box), **(pipes | options))
