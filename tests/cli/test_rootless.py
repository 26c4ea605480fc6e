# SPDX-License-Identifier: Apache-2.0
"""berth for an ordinary user: with one id, with lent ids, and without a word of user namespaces in the config."""
import ctypes
import os
import shutil

import pytest

from machine import ON_V2, own_users

pytestmark = own_users
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS, MS_BIND, MS_REC, MS_PRIVATE = 0x20000, 4096, 16384, 1 << 18
USER = 65534
ONE = [{"containerID": 0, "hostID": USER, "size": 1}]
LENT = (700000, 1000)
NEW = ("pid", "network", "ipc", "uts", "mount")


@pytest.fixture(autouse=True)
def place(berth):
    """All of the test belongs to the user; the program is where he may run it."""
    os.chown(berth.folder, USER, USER)
    berth.lend()
    berth.root.mkdir()
    os.chown(berth.root, USER, USER)


def become_user():
    os.setgroups([])
    os.setgid(USER)
    os.setuid(USER)


def with_lent_ids(folder):
    """What /etc/subuid says, in a mount namespace of the program's own."""
    (folder / "subid").write_text(f"{USER}:{LENT[0]}:{LENT[1]}\n")

    def prepare():
        assert LIBC.unshare(CLONE_NEWNS) == 0
        assert LIBC.mount(None, b"/", None, MS_REC | MS_PRIVATE, None) == 0
        for name in (b"/etc/subuid", b"/etc/subgid"):
            assert LIBC.mount(str(folder / "subid").encode(), name, None, MS_BIND, None) == 0
        become_user()
    return prepare


def configured(berth, script, linux, **process):
    bundle = berth.bundle("sh", "-c", script, **process)
    config = berth.read_config(bundle)
    config["linux"] = linux
    config["mounts"] = [mount for mount in config["mounts"] if mount["type"] in ("proc", "tmpfs", "mqueue", "sysfs")]
    berth.write_config(bundle, config)
    return bundle


def spaces(*more):
    return [{"type": kind} for kind in (*NEW, *more)]


SHOW = "cat /proc/self/uid_map /proc/self/gid_map; id -u; echo $$; echo > /dev/null && echo null"
ONE_SEEN = ["0", str(USER), "1"]


@pytest.mark.parametrize("linux", [
    {"namespaces": spaces("user"), "uidMappings": ONE, "gidMappings": ONE},
    {"namespaces": spaces()},
], ids=["one id", "nothing said"])
def test_one_id(berth, linux):
    bundle = configured(berth, SHOW, linux)
    text = berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=become_user, env={"PATH": "/nowhere"})
    assert text.split() == [*ONE_SEEN, *ONE_SEEN, "0", "1", "null"]


@pytest.mark.skipif(ON_V2, reason="cgroup v2 may be the user's")
@pytest.mark.parametrize("kinds", [(), ("cgroup",)], ids=["host's cgroups", "cgroup namespace"])
def test_without_a_cgroup(berth, kinds):
    """He may make none on v1: the caller's are shown, and what would need one says so."""
    user = {"preexec_fn": become_user, "env": {"PATH": "/usr/bin:/bin"}}
    bundle = configured(berth, "exec sleep 1000", {"namespaces": spaces(*kinds)})
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro"]})
    berth.write_config(bundle, config)
    container = berth.new_id()
    berth.ok("run", "-d", "-b", bundle, container, **user)
    lines = berth.ok("exec", container, "cat", "/proc/self/mountinfo", **user).splitlines()
    shown = [words for words in map(str.split, lines) if words[4].startswith("/sys/fs/cgroup/")]
    assert shown and all("ro" in words[5].split(",") and container not in words[3] for words in shown)
    for words in (["ps", "-f", "json", container], ["kill", "--all", container, "TERM"]):
        assert "has no cgroup of its own" in berth.fails(*words, **user)
    berth.ok("kill", "--all", container, "KILL", **user)
    berth.wait_stopped(container)


def test_no_other_user_with_one_id(berth):
    bundle = configured(berth, "true", {"namespaces": spaces()}, user={"uid": 5, "gid": 0})
    told = berth.fails("run", "-b", bundle, berth.new_id(), preexec_fn=become_user, env={"PATH": "/nowhere"})
    assert "/process/user/uid" in told


@pytest.mark.parametrize("words", [[], ["--rootless"]], ids=" ".join)
def test_what_spec_prints(berth, words):
    """As it is, whether or not it was meant for an ordinary user."""
    user = {"preexec_fn": become_user, "env": {"PATH": "/nowhere"}}
    bundle = berth.folder / "bundle"
    bundle.mkdir()
    os.chown(bundle, USER, USER)
    berth.ok("spec", "--bundle", bundle, *words, **user)
    config = berth.read_config(bundle)
    config["root"] = {"path": str(berth.rootfs), "readonly": True}
    config["process"] |= {"terminal": False, "args": ["sh", "-c", SHOW]}
    berth.write_config(bundle, config)
    assert berth.ok("run", "-b", bundle, berth.new_id(), **user).split() == [*ONE_SEEN, *ONE_SEEN, "0", "1", "null"]


def test_bind_mount(berth):
    """Of what the user can reach: opened inside, for outside he has no rights."""
    (berth.folder / "own").write_text("of the user\n")
    bundle = configured(berth, "cat /etc/passwd", {"namespaces": spaces()})
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/etc/passwd", "source": str(berth.folder / "own"), "type": "bind",
                             "options": ["rbind", "ro"]})
    berth.write_config(bundle, config)
    user = {"preexec_fn": become_user, "env": {"PATH": "/nowhere"}}
    assert berth.ok("run", "-b", bundle, berth.new_id(), **user) == "of the user\n"


def test_life_of_a_container(berth):
    """The commands that find it again plan it in the same way."""
    container = berth.new_id()
    user = {"preexec_fn": become_user, "env": {"PATH": "/nowhere"}}
    bundle = configured(berth, "sleep 1000", {"namespaces": spaces()})
    berth.ok("create", "-b", bundle, container, **user)
    assert "start it first" in berth.fails("exec", container, "true", code=255, **user)
    berth.ok("start", container, **user)
    assert berth.ok("exec", container, "cat", "/proc/self/uid_map", **user).split() == ONE_SEEN
    assert berth.ok("exec", container, "id", "-u", **user) == "0\n"
    berth.ok("kill", container, "KILL", **user)
    berth.wait_stopped(container)
    berth.ok("delete", container, **user)


@pytest.mark.skipif(not shutil.which("newuidmap"), reason="there is no newuidmap")
@pytest.mark.parametrize("said", [False, True])
def test_lent_ids(berth, said):
    lent = [{"containerID": 0, "hostID": USER, "size": 1}, {"containerID": 1, "hostID": LENT[0], "size": LENT[1]}]
    linux = {"namespaces": spaces("user"), "uidMappings": lent, "gidMappings": lent} if said else {"namespaces": spaces()}
    user = {"uid": 7, "gid": 8, "additionalGids": [9]}
    bundle = configured(berth, "cat /proc/self/uid_map; id -u; id -G", linux, user=user)
    text = berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=with_lent_ids(berth.folder))
    assert text.split() == [*ONE_SEEN, "1", str(LENT[0]), str(LENT[1]), "7", "8", "9"]


@pytest.mark.skipif(not shutil.which("newuidmap"), reason="there is no newuidmap")
def test_ids_that_are_not_lent(berth):
    other = [{"containerID": 0, "hostID": 5, "size": 1}]
    linux = {"namespaces": spaces("user"), "uidMappings": other, "gidMappings": other}
    told = berth.fails("run", "-b", configured(berth, "true", linux), berth.new_id(), preexec_fn=become_user)
    assert "/linux/uidMappings" in told and "/etc/subuid" in told
