# SPDX-License-Identifier: Apache-2.0
"""What only podman has: pods, health checks without a daemon, user namespaces, secrets, its own view of the runtime."""
import json
import os
import pathlib
import subprocess

import pytest

from engine import IMAGE, wait_until


def test_podman_names_the_runtime(podman):
    container = podman.start(IMAGE, "sleep", "1000")
    assert pathlib.Path(podman.inspect(container, "{{.OCIRuntime}}")).name == pathlib.Path(podman.runtime).name
    told = podman.must("info", "--format", "{{.Host.OCIRuntime.Path}} {{.Host.OCIRuntime.Version}}")
    assert told.split()[0] == podman.runtime


@pytest.fixture
def pod(podman):
    rootfs = podman.folder / "pause"
    if not rootfs.exists():
        podman.must("tag", IMAGE, "localhost/pause:engines")
        rootfs.touch()
    name = podman.must("pod", "create", "--network=none", f"--cgroup-parent=/{podman.parent}",
                       "--infra-image=localhost/pause:engines", "--infra-command=sleep 100000", "--share=net,ipc,uts")
    podman.ids.update(podman.must("ps", "--all", "--quiet", "--no-trunc").split())
    yield name
    podman.must("pod", "rm", "--force", name)


def test_pod_shares_namespaces(podman, pod):
    first, second = (podman.must("run", "--detach", "--pod", pod, IMAGE, "sleep", "1000") for _ in range(2))
    podman.ids.update((first, second))
    for kind in ("net", "ipc", "uts"):
        assert os.readlink(f"/proc/{podman.pid(first)}/ns/{kind}") == os.readlink(f"/proc/{podman.pid(second)}/ns/{kind}")
    assert os.readlink(f"/proc/{podman.pid(first)}/ns/mnt") != os.readlink(f"/proc/{podman.pid(second)}/ns/mnt")


def test_pod_stops_starts_and_pauses(podman, pod):
    podman.ids.add(container := podman.must("run", "--detach", "--init", "--pod", pod, IMAGE, "sleep", "1000"))
    podman.must("pod", "pause", pod)
    assert podman.status(container) == "paused"
    podman.must("pod", "unpause", pod)
    podman.must("pod", "stop", "--time", "1", pod)
    assert podman.status(container) == "exited"
    podman.must("pod", "start", pod)
    assert podman.status(container) == "running"


def test_health_check(podman):
    container = podman.start("--health-cmd", "test -e /tmp/well", "--health-interval", "disable", "--health-retries", "1",
                             IMAGE, "sleep", "1000")
    assert podman("healthcheck", "run", container).returncode == 1
    podman.must("exec", container, "touch", "/tmp/well")
    assert podman("healthcheck", "run", container).returncode == 0


def test_user_namespace(podman):
    maps = ("--uidmap=0:100000:5000", "--gidmap=0:100000:5000")
    container = podman.start(*maps, IMAGE, "sh", "-c", "id -u; echo mine >/root/file; exec sleep 1000")
    podman.logs(container, "0")
    assert os.stat(f"/proc/{podman.pid(container)}").st_uid == 100000
    assert podman.must("exec", container, "cat", "/root/file", "/proc/self/uid_map").split() == ["mine", "0", "100000", "5000"]


def test_root_filesystem_of_a_directory(podman, folder):
    assert podman("run", "--rm", "--network=none", f"--cgroup-parent=/{podman.parent}", "--rootfs", folder / "image",
                  "echo", "bare").stdout == "bare\n"


def test_secret(podman):
    podman.must("secret", "create", "word", "-", input="hidden")
    try:
        assert podman.output("--secret", "word", IMAGE, "cat", "/run/secrets/word") == "hidden"
    finally:
        podman.must("secret", "rm", "word")


def test_preserved_descriptors(podman):
    reader, writer = os.pipe()
    with os.fdopen(reader) as stream:
        # 3 is where podman and the runtime keep the first one.
        command = podman.command(*podman.arguments("run", "--rm", "--preserve-fds=1", IMAGE, "sh", "-c", "echo kept >&3"))
        script = ["bash", "-c", f'exec "$@" 3>&{writer}', "bash", *command]
        done = subprocess.run(script, pass_fds=[writer], capture_output=True, timeout=60, stdin=subprocess.DEVNULL)
        os.close(writer)
        assert done.returncode == 0, done.stderr
        assert stream.read() == "kept\n"


def test_limits_of_the_whole_pod_are_removed(podman, pod):
    podman.ids.add(container := podman.must("run", "--detach", "--memory=64m", "--pod", pod, IMAGE, "sleep", "1000"))
    assert podman.cgroup(container, "memory", "memory.limit_in_bytes" if not os.path.exists(
        "/sys/fs/cgroup/cgroup.controllers") else "memory.max") == str(64 << 20)


def test_commit_runs(podman):
    container = podman.start(IMAGE, "sh", "-c", "echo new >/etc/new")
    podman.must("wait", container)
    podman.must("commit", "--quiet", container, "localhost/committed:engines")
    try:
        assert podman.output("localhost/committed:engines", "cat", "/etc/new") == "new"
    finally:
        podman.must("image", "rm", "localhost/committed:engines")


def test_state_after_the_end_is_the_engines(podman):
    container = podman.start(IMAGE, "true")
    podman.must("wait", container)
    wait_until(lambda: not podman.leftovers())
    assert json.loads(podman.must("inspect", container))[0]["State"]["Status"] == "exited"
