# SPDX-License-Identifier: Apache-2.0
"""The files of lxcfs in containers that run (docs/live-operations.md): a real lxcfs, and programs in the container that look."""
import json
import os
import pathlib
import subprocess
import sys
import threading

import pytest

from conftest import Berth
from machine import host_mounts, needs_root
from test_documents import commands, run

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from own_lxcfs import Lxcfs, alone, needs_lxcfs, running  # noqa: E402

pytestmark = [needs_root, needs_lxcfs]
LIMIT = 96 << 20
SHOWN = f"MemTotal:          {LIMIT >> 10} kB"
DEAD = "Transport endpoint is not connected"


@pytest.fixture
def lxcfs(tmp_path):
    with alone(), running(tmp_path) as program:
        yield program


def container_of(berth, number=0, **changes):
    bundle = berth.bundle("sh", "-c", "echo ready; exec sleep 1000", name=f"bundle{number}")
    config = berth.read_config(bundle)
    config["linux"].setdefault("resources", {})["memory"] = {"limit": LIMIT}
    config |= changes
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "-d", "-b", bundle, container)
    return container


def mountinfo(berth, container):
    return pathlib.Path(f"/proc/{berth.state(container)['pid']}/mountinfo").read_text()


def reports(berth, lxcfs, action, *words, code=0):
    done = berth("lxcfs", action, "--format", "json", "--lxcfs", lxcfs.mount, *words)
    assert done.returncode == code, done.stdout + done.stderr
    return json.loads(done.stdout)


def results(berth, lxcfs, action, *words, code=0):
    """Of one container: what became of each file."""
    (report,) = reports(berth, lxcfs, action, *words, code=code)
    assert "error" not in report, report
    return {file["path"]: file["result"] for file in report["files"]}


def shown(berth, container):
    done = berth("exec", container, "grep", "MemTotal", "/proc/meminfo")
    return done.stdout.strip() or done.stderr


def is_right(berth, container):
    """MemTotal is the container's limit, and it is not as old as the machine."""
    age = float(berth.ok("exec", container, "cat", "/proc/uptime").split()[0])
    return shown(berth, container).split()[1] == str(LIMIT >> 10) and age < float(pathlib.Path("/proc/uptime").read_text().split()[0])


def layers(berth, container):
    return [line.split()[4] for line in mountinfo(berth, container).splitlines() if " - fuse.lxcfs " in line]


def test_mount_and_umount(berth, lxcfs):
    host = host_mounts(berth)
    container = container_of(berth)
    before, of_the_host = mountinfo(berth, container), shown(berth, container)
    found = results(berth, lxcfs, "mount", container)
    assert set(found) == lxcfs.files() and set(found.values()) <= {"mounted", "skipped"} and found["/proc/meminfo"] == "mounted"
    assert is_right(berth, container) and shown(berth, container) != of_the_host
    for line in mountinfo(berth, container).splitlines():
        if " - fuse.lxcfs " in line:
            assert {"ro", "nosuid", "nodev", "noexec"} <= set(line.split()[5].split(",")) and "shared:" not in line and "master:" not in line
    listed = json.loads(berth.ok("mounts", "list", "--format", "json", container))
    mounted = {path for path, result in found.items() if result == "mounted"}
    assert {each["destination"] for each in listed} == mounted and {each["token"] for each in listed} == {"lxcfs"}
    assert all(each["there"] for each in listed)
    assert {each for each in results(berth, lxcfs, "mount", container).values()} <= {"current", "skipped"}  # nothing is doubled
    assert sorted(layers(berth, container)) == sorted(mounted)
    assert set(results(berth, lxcfs, "umount", container).values()) == {"unmounted"}
    assert mountinfo(berth, container) == before and json.loads(berth.ok("mounts", "list", "--format", "json", container)) == []
    assert host_mounts(berth) == host


def test_what_a_restart_left_is_healed(berth, lxcfs):
    containers = [container_of(berth, number) for number in range(20)]
    reports(berth, lxcfs, "mount", "--all")
    before = {container: sorted(layers(berth, container)) for container in containers}
    assert all(is_right(berth, container) for container in containers)
    assert berth("lxcfs", "check", "--all", "--lxcfs", lxcfs.mount).returncode == 0
    lxcfs.kill()
    assert DEAD in shown(berth, containers[0])
    assert set(results(berth, lxcfs, "status", containers[0]).values()) == {"stale"}
    assert berth("lxcfs", "check", "--all", "--lxcfs", lxcfs.mount).returncode == 1
    assert "does not answer" in berth.fails("lxcfs", "remount", "--all", "--lxcfs", lxcfs.mount)
    lxcfs.start()
    healed = reports(berth, lxcfs, "remount", "--all")
    assert {report["id"] for report in healed} == set(containers)
    assert {file["result"] for report in healed for file in report["files"]} == {"healed"}
    for container in containers:
        assert is_right(berth, container) and sorted(layers(berth, container)) == before[container]
        assert all(each["there"] for each in json.loads(berth.ok("mounts", "list", "--format", "json", container)))
    assert berth("lxcfs", "check", "--all", "--lxcfs", lxcfs.mount).returncode == 0
    assert set(results(berth, lxcfs, "remount", containers[0]).values()) == {"current"}


@pytest.mark.skipif(tuple(map(int, os.uname().release.split(".")[:2])) < (6, 5), reason="this kernel cannot mount beneath (Linux 6.5)")
def test_no_moment_without_the_file(berth, lxcfs):
    """Whoever reads all the time sees the container's value or the dead file, never the host's."""
    container = container_of(berth)
    results(berth, lxcfs, "mount", container)
    script = "while :; do grep MemTotal /proc/meminfo || echo dead; test -e /dev/shm/end && exit; done"
    reader = subprocess.Popen(berth.command("exec", container, "sh", "-c", script), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    for _ in range(5):
        lxcfs.restart()
        results(berth, lxcfs, "remount", container)
    berth.ok("exec", container, "touch", "/dev/shm/end")
    output, _ = reader.communicate(timeout=30)
    assert {line.split()[1] if "Total" in line else line for line in output.splitlines()} == {"dead", str(LIMIT >> 10)}


def test_umount_while_it_is_dead(berth, lxcfs):
    container = container_of(berth)
    before = mountinfo(berth, container)
    results(berth, lxcfs, "mount", container)
    lxcfs.kill()
    assert set(results(berth, lxcfs, "umount", container).values()) == {"unmounted"}
    assert mountinfo(berth, container) == before


def test_one_that_hangs_hangs_nobody(berth, lxcfs):
    container = container_of(berth)
    before = mountinfo(berth, container)
    results(berth, lxcfs, "mount", container)
    lxcfs.stop()
    quick = ("--timeout", "300ms")
    assert "does not answer" in berth.fails("lxcfs", "mount", "--lxcfs", lxcfs.mount, *quick, container)
    (report,) = reports(berth, lxcfs, "status", *quick, container)
    assert "a filesystem of it hangs" in report["error"]
    assert set(results(berth, lxcfs, "umount", *quick, container).values()) == {"unmounted"}
    lxcfs.go_on()
    assert mountinfo(berth, container) == before


def test_the_files_of_another_lxcfs_that_runs_stay(berth, lxcfs, tmp_path):
    """As LXD has one of its own, which the host does not see."""
    (tmp_path / "other").mkdir()
    other = Lxcfs(tmp_path / "other")
    other.start()
    try:
        container = container_of(berth)
        results(berth, other, "mount", container)
        mounts = mountinfo(berth, container)
        for action in ("remount", "mount", "status"):
            assert set(results(berth, lxcfs, action, container).values()) <= {"current", "skipped"}
        assert mountinfo(berth, container) == mounts
        other.kill()
        assert "healed" in results(berth, lxcfs, "remount", container).values() and is_right(berth, container)
    finally:
        other.end()


def test_a_container_that_hangs_hinders_no_other(berth, lxcfs, tmp_path):
    (tmp_path / "other").mkdir()
    other = Lxcfs(tmp_path / "other")
    other.start()
    try:
        stuck, well = container_of(berth, 1), container_of(berth, 2)
        results(berth, other, "mount", stuck)
        results(berth, lxcfs, "mount", well)
        lxcfs.restart()
        other.stop()
        first, second = reports(berth, lxcfs, "remount", "--timeout", "700ms", stuck, well, code=1)
        assert "a filesystem of it hangs" in first["error"] and {file["result"] for file in second["files"]} == {"healed"}
        assert is_right(berth, well)
        other.go_on()
        assert set(results(berth, lxcfs, "remount", stuck).values()) == {"current"}
    finally:
        other.end()


def test_of_a_container_with_a_user_namespace(berth, lxcfs):
    bundle = berth.bundle("sh", "-c", "exec sleep 1000")
    config = berth.read_config(bundle)
    if "user" not in [each["type"] for each in config["linux"]["namespaces"]]:
        maps = [{"containerID": 0, "hostID": 200000, "size": 65536}]
        config["linux"] |= {"uidMappings": maps, "gidMappings": maps, "namespaces": [*config["linux"]["namespaces"], {"type": "user"}]}
    config["linux"].setdefault("resources", {})["memory"] = {"limit": LIMIT}
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "-d", "-b", bundle, container)
    results(berth, lxcfs, "mount", container)
    assert is_right(berth, container)
    lxcfs.restart()
    assert "healed" in results(berth, lxcfs, "remount", container).values() and is_right(berth, container)


def test_what_lies_on_a_file_stays(berth, lxcfs):
    """Of who made the container, or of the container itself."""
    container = container_of(berth)
    berth.ok("exec", "--cap", "CAP_SYS_ADMIN", container, "/bin/busybox", "mount", "--bind", "/bin/busybox", "/proc/stat")
    mounts = mountinfo(berth, container)
    found = {file["path"]: file for file in reports(berth, lxcfs, "mount", container)[0]["files"]}
    assert found["/proc/stat"]["result"] == "skipped" and found["/proc/stat"]["reason"] == "something else is mounted there"
    assert found["/proc/meminfo"]["result"] == "mounted"
    berth.ok("lxcfs", "umount", container)
    assert mountinfo(berth, container) == mounts


def test_a_proc_that_is_none_is_left_alone(berth, lxcfs):
    host = host_mounts(berth)
    container = container_of(berth)
    script = "mount -t tmpfs x /proc && ln -s /etc /proc/meminfo && ln -s / /proc/stat && touch /proc/uptime"
    berth.ok("exec", "--cap", "CAP_SYS_ADMIN", container, "sh", "-c", script)
    found = {file["path"]: file for file in reports(berth, lxcfs, "mount", container)[0]["files"]}
    assert found["/proc/meminfo"]["reason"] == found["/proc/uptime"]["reason"] == "its directory is not the kernel's"
    assert {path for path, file in found.items() if file["result"] == "mounted" and path.startswith("/proc/")} == set()
    assert host_mounts(berth) == host


def test_a_stack_of_dead_mounts_becomes_one(berth, lxcfs):
    container = container_of(berth)
    results(berth, lxcfs, "mount", container)
    for _ in range(3):
        berth.ok("exec", "--cap", "CAP_SYS_ADMIN", container, "/bin/busybox", "mount", "--bind", "/proc/meminfo", "/proc/meminfo")
    assert layers(berth, container).count("/proc/meminfo") == 4
    lxcfs.restart()
    assert results(berth, lxcfs, "remount", container)["/proc/meminfo"] == "healed"
    assert layers(berth, container).count("/proc/meminfo") == 1 and is_right(berth, container)
    assert results(berth, lxcfs, "umount", container)["/proc/meminfo"] == "unmounted"


def test_containers_of_others(berth, lxcfs, tmp_path, rootfs):
    """berth with another state root stands for another runtime: its containers are found in the kernel."""
    (tmp_path / "elsewhere").mkdir()
    other = Berth(tmp_path / "elsewhere", rootfs)
    first, second = container_of(other, 1), container_of(other, 2)
    try:
        assert "(of other runtimes: --engine-scan)" in berth.fails("lxcfs", "mount", "--lxcfs", lxcfs.mount, first)
        assert reports(berth, lxcfs, "mount", "--all") == []
        assert results(berth, lxcfs, "mount", "--engine-scan", first)["/proc/meminfo"] == "mounted"
        assert results(berth, lxcfs, "mount", "--pid", other.state(second)["pid"])["/proc/meminfo"] == "mounted"
        assert "is the beginning of 2 ids" in berth.fails("lxcfs", "status", "--engine-scan", other.prefix)
        lxcfs.restart()
        assert {report["id"] for report in reports(berth, lxcfs, "remount", "--all")} == {first, second}
        assert is_right(other, first) and is_right(other, second)
        assert reports(berth, lxcfs, "umount", "--all") == []
        assert set(results(berth, lxcfs, "umount", "--engine-scan", first).values()) == {"unmounted"}
    finally:
        other.clean()


@pytest.mark.parametrize("kind", ["createRuntime", "prestart", "poststart"])
def test_the_hook(berth, lxcfs, kind):
    words = ["berth", "lxcfs", "hook", "--lxcfs", str(lxcfs.mount)]
    container = container_of(berth, hooks={kind: [{"path": berth.path, "args": words}]})
    assert is_right(berth, container)
    lxcfs.restart()
    assert "healed" in results(berth, lxcfs, "remount", container).values() and is_right(berth, container)


def test_the_hook_says_when_it_fails(berth, lxcfs):
    lxcfs.kill()
    words = ["berth", "lxcfs", "hook", "--lxcfs", str(lxcfs.mount)]
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    berth.write_config(bundle, config | {"hooks": {"createRuntime": [{"path": berth.path, "args": words}]}})
    assert "does not answer" in berth.fails("run", "-b", bundle, berth.new_id())
    berth.write_config(bundle, config | {"hooks": {"createRuntime": [{"path": berth.path, "args": [*words, "--warn"]}]}})
    berth.ok("run", "-b", bundle, berth.new_id())
    for state, told in (("", "1:1"), ("[]", "no object"), ("{}", "no id"), ('{"id":"x","pid":0}', "no pid"), ('{"id":"x","pid":4000000}', "4000000")):
        assert told in berth.fails("lxcfs", "hook", input=state), state


def test_watching(berth, lxcfs):
    container = container_of(berth)
    results(berth, lxcfs, "mount", container)
    watcher = subprocess.Popen(berth.command("lxcfs", "remount", "--all", "--watch", "--lxcfs", lxcfs.mount), stdout=subprocess.PIPE, text=True)
    try:
        lines = iter(watcher.stdout.readline, "")
        assert next(line for line in lines if f" {container} " in f" {line}").split()[3] == "current"
        for _ in range(3):
            lxcfs.restart()
            assert next(line for line in lines if "healed" in line).split()[0] == container
            assert next(line for line in lines if "/sys/devices" in line).split()[3] == "healed"  # the last of the table
            assert is_right(berth, container)
    finally:
        watcher.kill()
        watcher.communicate()


def test_more_containers_than_descriptors(berth, lxcfs):
    """What is open for those that are done is closed: each takes a dozen while it is looked at."""
    first = container_of(berth)
    others = [berth.new_id() for _ in range(39)]
    for container in others:
        berth.ok("run", "-d", "-b", berth.folder / "bundle0", container)
    in_sight = 32 * (3 + len(lxcfs.files())) + 46  # fewer than 40 containers need
    berth.before = ["prlimit", f"--nofile={in_sight}", *berth.before]
    done = reports(berth, lxcfs, "mount", first, *others)
    assert [report["id"] for report in done] == [first, *others]
    assert {file["result"] for report in done for file in report["files"]} <= {"mounted", "skipped"}
    assert {report["id"] for report in reports(berth, lxcfs, "umount", first, *others)} == {first, *others}


def test_many_at_once(berth, lxcfs):
    """Several commands on the same containers: nothing is doubled, nothing is left."""
    containers = [container_of(berth, number) for number in range(3)]
    before = [mountinfo(berth, container) for container in containers]
    failures = []

    def work(action):
        for _ in range(5):
            done = berth("lxcfs", action, "--lxcfs", lxcfs.mount, *containers)
            if done.returncode != 0:
                failures.append(done.stdout + done.stderr)

    def at_once(*actions):
        threads = [threading.Thread(target=work, args=(action,)) for action in actions]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert failures == []

    at_once("mount", "mount", "remount", "mount")
    for container in containers:
        assert len(layers(berth, container)) == len(set(layers(berth, container))) and is_right(berth, container)
    at_once("umount", "umount")
    assert [mountinfo(berth, container) for container in containers] == before


@pytest.mark.parametrize("words,told", [
    (("mount",), "name containers"), (("mount", "--all", "x"), "name containers"), (("mount", "--pid", "0"), "is no pid"),
    (("mount", "x"), "no container x runs"), (("fix", "--all"), "there is no \"fix\""), (("status", "--pid", str(os.getpid())), None),
    (("mount", "--timeout", "soon", "--all"), "--timeout")])
def test_words(berth, lxcfs, words, told):
    if told is not None:
        assert told in berth.fails("lxcfs", *words)
    else:
        assert "its mounts are those of the host" in berth("lxcfs", *words, "--lxcfs", lxcfs.mount).stdout


def test_what_the_document_shows(berth, lxcfs):
    text = commands("live-operations.md", "lxcfs, in a minute").replace("berth lxcfs", f"berth lxcfs --lxcfs {lxcfs.mount}")
    done = run(berth, None, text)
    assert done.returncode == 0, done.stderr
    assert "102400 kB" in done.stdout and "current" in done.stdout and "unmounted" in done.stdout


def test_without_an_lxcfs(berth, lxcfs, tmp_path):
    container = container_of(berth)
    for action in ("mount", "remount"):
        assert f"no lxcfs is mounted on {tmp_path}: start it" in berth.fails("lxcfs", action, "--lxcfs", tmp_path, container)
    assert results(berth, lxcfs, "status", container) == {}
