# SPDX-License-Identifier: Apache-2.0
"""The root filesystem, volumes and tmpfs."""
import pytest

from engine import IMAGE


@pytest.fixture
def shared(folder):
    place = folder / "shared"
    place.mkdir(exist_ok=True)
    (place / "given").write_text("from outside\n")
    return place


def test_writable_volume(engine, shared):
    assert engine.output("--volume", f"{shared}:/data", IMAGE, "sh", "-c", "cat /data/given; echo back >/data/taken") == \
        "from outside"
    assert (shared / "taken").read_text() == "back\n"


def test_read_only_volume(engine, shared):
    done = engine.run("--volume", f"{shared}:/data:ro", IMAGE, "sh", "-c", "cat /data/given && echo no >/data/refused")
    assert (done.returncode, done.stdout) == (1, "from outside\n")
    assert "Read-only file system" in done.stderr
    assert not (shared / "refused").exists()


def test_one_file(engine, shared):
    assert engine.output("--volume", f"{shared}/given:/etc/given:ro", IMAGE, "cat", "/etc/given") == "from outside"


def test_bind_with_options(engine, shared):
    shown = engine.output("--mount", f"type=bind,source={shared},target=/data,readonly,bind-propagation=rprivate", IMAGE,
                          "grep", " /data ", "/proc/self/mountinfo")
    assert " ro," in shown and "master:" not in shown.split(" - ")[1]


def test_named_volume_stays(engine):
    engine.must("volume", "create", "kept")
    try:
        engine.output("--volume", "kept:/data", IMAGE, "sh", "-c", "echo kept >/data/file")
        assert engine.output("--volume", "kept:/data", IMAGE, "cat", "/data/file") == "kept"
    finally:
        engine.must("volume", "rm", "--force", "kept")


def test_directory_onto_a_file_is_refused(engine, shared):
    done = engine.run("--volume", f"{shared}:/etc/plain", IMAGE, "true")
    assert done.returncode == (125 if engine.name == "docker" else 126), done.stderr
    assert "/etc/plain" in done.stderr and "not a directory" in done.stderr
    if engine.name == "docker":
        assert "Are you trying to mount a directory onto a file" in done.stderr


def test_tmpfs(engine):
    shown = engine.output("--tmpfs", "/scratch:rw,size=1m,mode=1777,noexec", IMAGE, "sh", "-c",
                          "grep ' /scratch ' /proc/mounts; dd if=/dev/zero of=/scratch/f bs=1024 count=2000 2>&1; true")
    assert "tmpfs /scratch tmpfs" in shown and "noexec" in shown and "size=1024k" in shown
    assert "No space left" in shown


def test_read_only_root(engine):
    done = engine.run("--read-only", IMAGE, "sh", "-c", "echo no >/root/file")
    assert done.returncode == 1 and "Read-only file system" in done.stderr
    assert engine.output("--read-only", "--tmpfs", "/tmp", IMAGE, "sh", "-c", "echo yes >/tmp/file; cat /tmp/file") == "yes"


def test_engine_files(engine):
    """resolv.conf, hosts and hostname are the engine's binds."""
    shown = engine.output("--hostname", "house", IMAGE, "cat", "/etc/hosts", "/etc/hostname")
    assert shown.splitlines()[-1] == "house"


def test_shared_memory_size(engine):
    assert "size=2048k" in engine.output("--shm-size", "2m", IMAGE, "grep", " /dev/shm ", "/proc/mounts")


def test_devices(engine):
    shown = engine.output("--device", "/dev/zero:/dev/nought:r", IMAGE, "sh", "-c",
                          "ls /dev; head -c 4 /dev/nought | wc -c; echo x >/dev/null && echo written")
    names = shown.split()
    assert {"nought", "null", "zero", "full", "random", "urandom", "tty", "ptmx", "pts", "shm", "fd"} <= set(names)
    assert names[-2:] == ["4", "written"]
