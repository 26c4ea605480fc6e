# SPDX-License-Identifier: Apache-2.0
"""The files of lxcfs in containers that others run: Podman and Docker by berth, Podman by Debian's runc, and runc alone."""
import json
import pathlib
import shutil
import subprocess
import sys

import pytest

from conftest import find_runtime
from engine import IMAGE

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from own_lxcfs import alone, needs_lxcfs, running  # noqa: E402

pytestmark = needs_lxcfs
LIMIT = 96 << 20
FILES = {f"/proc/{name}" for name in ("cpuinfo", "meminfo", "stat", "uptime", "diskstats", "swaps", "loadavg")}


@pytest.fixture
def lxcfs(tmp_path):
    with alone(), running(tmp_path) as program:
        yield program


def acted(lxcfs, tmp_path, action, *words):
    command = [find_runtime(), f"--root={tmp_path}/state", "lxcfs", action, "--format=json", f"--lxcfs={lxcfs.mount}", *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return {report["id"]: {file["path"]: file["result"] for file in report["files"]} for report in json.loads(done.stdout)}


def heal(lxcfs, tmp_path, container, pid, memory):
    """From the first mount over a crash of lxcfs to the end; memory() is MemTotal as a program in the container sees it."""
    def mounts():
        return pathlib.Path(f"/proc/{pid}/mountinfo").read_text()
    before, of_the_host = mounts(), memory()
    mounted = acted(lxcfs, tmp_path, "mount", "--engine-scan", container[:40])[container]
    assert {path for path, result in mounted.items() if result == "mounted"} >= FILES
    assert memory() == f"{LIMIT >> 10} kB" != of_the_host
    whole = sorted(line.split()[4] for line in mounts().splitlines())
    lxcfs.kill()
    assert memory() == ""
    lxcfs.start()
    assert set(acted(lxcfs, tmp_path, "remount", "--all")[container].values()) == {"healed"}
    assert memory() == f"{LIMIT >> 10} kB" and sorted(line.split()[4] for line in mounts().splitlines()) == whole
    assert set(acted(lxcfs, tmp_path, "umount", "--engine-scan", container)[container].values()) == {"unmounted"}
    assert mounts() == before and memory() == of_the_host


def total(done):
    return done.stdout.split(":")[1].strip() if done.returncode == 0 else ""


def test_of_an_engine(engine, lxcfs, tmp_path):
    container = engine.start("--memory", str(LIMIT), IMAGE, "sleep", "1000")
    heal(lxcfs, tmp_path, container, engine.pid(container), lambda: total(engine("exec", container, "grep", "MemTotal", "/proc/meminfo")))


@pytest.mark.skipif(shutil.which("runc") is None, reason="there is no runc")
def test_of_podman_by_runc(podman, lxcfs, tmp_path):
    """Nothing of the container is berth's."""
    runc = f"--runtime={shutil.which('runc')}"
    podman.ids.add(container := podman.must(runc, *podman.arguments("run", "--detach", "--memory", str(LIMIT), IMAGE, "sleep", "1000")))
    heal(lxcfs, tmp_path, container, podman.pid(container), lambda: total(podman(runc, "exec", container, "grep", "MemTotal", "/proc/meminfo")))
    podman.must(runc, "rm", "--force", container)


@pytest.mark.skipif(shutil.which("runc") is None, reason="there is no runc")
def test_of_runc(lxcfs, tmp_path):
    (rootfs := tmp_path / "rootfs").mkdir()
    for name in ("bin", "proc", "sys", "dev"):
        (rootfs / name).mkdir()
    shutil.copy(shutil.which("busybox"), rootfs / "bin")
    runc = ["runc", f"--root={tmp_path}/runc"]
    subprocess.run([*runc, "spec", f"--bundle={tmp_path}"], check=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config["process"] |= {"terminal": False, "args": ["/bin/busybox", "sleep", "1000"]}
    config["linux"]["resources"]["memory"] = {"limit": LIMIT}
    (tmp_path / "config.json").write_text(json.dumps(config))
    container = f"lxcfs-{tmp_path.name}-of-runc"
    subprocess.run([*runc, "run", "--detach", f"--bundle={tmp_path}", container], check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        pid = json.loads(subprocess.run([*runc, "state", container], check=True, capture_output=True, text=True).stdout)["pid"]
        command = [*runc, "exec", container, "/bin/busybox", "grep", "MemTotal", "/proc/meminfo"]
        found = acted(lxcfs, tmp_path, "status", "--engine-scan", container)
        assert found == {container: {}}
        heal(lxcfs, tmp_path, container, pid, lambda: total(subprocess.run(command, capture_output=True, text=True)))
    finally:
        subprocess.run([*runc, "delete", "--force", container], check=True)
