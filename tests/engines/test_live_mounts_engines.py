# SPDX-License-Identifier: Apache-2.0
"""Mounts of a running container that Podman or Docker made, changed by `berth mounts` without asking them."""
import pathlib
import subprocess

from conftest import find_runtime
from engine import IMAGE


def test_mounts(engine, tmp_path):
    (source := tmp_path / "source").mkdir()
    (source / "file").write_text("of the host\n")
    container = engine.start(IMAGE, "sleep", "1000")
    info = pathlib.Path(f"/proc/{engine.pid(container)}/mountinfo")
    before = info.read_text()

    def mounts(action, *words):
        command = [find_runtime(), f"--root={tmp_path}/state", "mounts", action, "--engine-scan", container[:40], *words]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        return done.stdout

    mounts("add", f"{source}:/mnt/live:ro", "tmpfs::/mnt/scratch:size=64k")
    assert engine.must("exec", container, "cat", "/mnt/live/file") == "of the host"
    engine.must("exec", container, "touch", "/mnt/scratch/file")
    (source / "file").write_text("changed\n")
    mounts("replace", f"{source}/file:/etc/hostname", "--force")
    assert engine.must("exec", container, "cat", "/etc/hostname") == "changed"
    assert mounts("list").count(" there ") == 3
    mounts("remove", "/mnt/live", "/mnt/scratch", "/etc/hostname")

    def places(text):
        return {line.split()[4] for line in text.splitlines()}
    assert places(info.read_text()) == places(before) - {"/etc/hostname"} and mounts("list").count("\n") == 1
