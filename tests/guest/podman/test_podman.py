# SPDX-License-Identifier: Apache-2.0
"""Podman with its systemd cgroup manager on berth: root's, or an ordinary user's with the user's systemd. In the guest, where
Podman may use its own places. ENGINE_RUNTIME puts another runtime into berth's place, to see that a test is right."""
import json
import os
import pathlib
import shutil
import subprocess

import pytest

RUNTIME = os.environ.get("ENGINE_RUNTIME") or os.environ["BERTH"]
USER = ["--user"] if os.geteuid() else []
CGROUPS = pathlib.Path("/sys/fs/cgroup")
IMAGE = "localhost/busybox:guest"
TIMEOUT = 120
# Not at once: what is killed before the start was seen to succeed is a failed start.
EAT_LATER = "i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done; exec dd if=/dev/zero of=/dev/null bs=256M"


def ran(*words):
    return subprocess.run([*map(str, words)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT)


def podman(*words, code=0):
    done = ran("podman", "--runtime", RUNTIME, "--cgroup-manager=systemd", *words)
    assert done.returncode == code, f"{words}: exit {done.returncode}: {done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture(scope="session", autouse=True)
def image(tmp_path_factory):
    root = tmp_path_factory.mktemp("image")
    for folder in ("bin", "dev", "etc", "proc", "sys", "tmp", "run"):
        (root / folder).mkdir()
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for applet in ("sh", "cat", "sleep", "true", "false", "ps", "dd", "echo"):
        (root / "bin" / applet).symlink_to("busybox")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    archive = root.parent / "image.tar"
    assert ran("tar", "-C", root, "-cf", archive, ".").returncode == 0
    assert ran("podman", "import", archive, IMAGE).returncode == 0


@pytest.fixture
def containers():
    """Nothing is left of any container."""
    yield
    podman("rm", "--all", "--force", "--time", "0")
    assert ran("systemctl", *USER, "list-units", "--all", "--plain", "--no-legend", "libpod-*.scope").stdout == ""


def started(*words, command=("sleep", "1000")):
    return podman("run", "--detach", "--network=none", *words, IMAGE, *command)


def unit_of(container):
    return f"libpod-{container}.scope"


def show(unit, name):
    return ran("systemctl", *USER, "show", "-P", name, unit).stdout.strip()


def cgroup_of(container):
    return CGROUPS / show(unit_of(container), "ControlGroup").lstrip("/")


pytestmark = pytest.mark.usefixtures("containers")


def test_run():
    assert podman("run", "--rm", "--network=none", IMAGE, "echo", "hello") == "hello"
    podman("run", "--rm", "--network=none", IMAGE, "sh", "-c", "exit 7", code=7)


def test_container_is_in_its_scope():
    container = started("--memory=64m", "--pids-limit=30")
    unit = unit_of(container)
    assert show(unit, "ActiveState") == "active" and show(unit, "MemoryMax") == str(64 << 20)
    assert show(unit, "TasksMax") == "30"
    assert (cgroup_of(container) / "memory.max").read_text() == f"{64 << 20}\n"
    assert podman("exec", container, "cat", "/proc/self/cgroup") == "0::/"
    pid = podman("inspect", "--format", "{{.State.Pid}}", container)
    assert pid in (cgroup_of(container) / "cgroup.procs").read_text().split()


def test_stats():
    container = started("--memory=64m")
    told = json.loads(podman("stats", "--no-stream", "--format=json", container))[0]
    assert told["pids"] == "1" and "67.11MB" in told["mem_usage"]


def test_update():
    container = started("--memory=64m")
    podman("update", "--memory=32m", container)
    assert (cgroup_of(container) / "memory.max").read_text() == f"{32 << 20}\n"
    assert show(unit_of(container), "MemoryMax") == str(32 << 20)
    ran("systemctl", *USER, "daemon-reload")
    assert (cgroup_of(container) / "memory.max").read_text() == f"{32 << 20}\n"


def test_pause():
    container = started()
    podman("pause", container)
    assert podman("inspect", "--format", "{{.State.Status}}", container) == "paused"
    assert (cgroup_of(container) / "cgroup.freeze").read_text() == "1\n"
    podman("unpause", container)
    assert podman("exec", container, "echo", "on") == "on"


def test_kill_and_wait():
    container = started()
    podman("kill", "--signal=KILL", container)
    assert podman("wait", container) == "137"
    assert podman("inspect", "--format", "{{.State.ExitCode}}", container) == "137"


def test_stop_start_and_top():
    container = started(command=("sh", "-c", "trap 'exit 3' TERM; while :; do sleep 1; done"))
    podman("stop", "--time=20", container)
    assert podman("inspect", "--format", "{{.State.ExitCode}}", container) == "3"
    podman("start", container)
    assert "sh" in podman("top", container, "comm").split()


def test_out_of_memory():
    container = started("--memory=16m", "--memory-swap=16m", command=("sh", "-c", EAT_LATER))
    assert podman("wait", container) == "137"


def test_rm_of_a_running_one():
    container = started()
    podman("rm", "--force", "--time=0", container)
    assert show(unit_of(container), "LoadState") == "not-found"


def test_pod():
    podman("pod", "create", "--name", "pod", "--infra=false")
    container = started("--pod", "pod")
    assert podman("exec", container, "echo", "in") == "in"
    podman("pod", "rm", "--force", "--time=0", "pod")


def test_shared_pid_namespace():
    first = started()
    second = started(f"--pid=container:{first}", command=("sleep", "1001"))
    assert podman("exec", second, "cat", "/proc/1/cmdline") == "sleep\x001000\x00"
    podman("rm", "--force", "--time=0", second)


def test_health():
    container = started("--health-cmd", "true", "--health-interval=disable")
    podman("healthcheck", "run", container)
