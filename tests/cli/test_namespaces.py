# SPDX-License-Identifier: Apache-2.0
"""Every kind of namespace: new, joined or inherited, in mixes, with and without user namespaces."""
import itertools
import os
import pathlib
import random
import shutil
import subprocess

import pytest

from machine import any_ids, enters_created, host_mounts, needs_root, own_users

KINDS = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user",
         "cgroup": "cgroup", "time": "time"}
NEW, JOINED, INHERITED = "new", "joined", "inherited"
IDENTITY = [{"containerID": 0, "hostID": 0, "size": 65536}]
MOUNTS = ({"destination": "/proc", "source": "/proc", "type": "bind", "options": ["rbind"]},
          {"destination": "/dev", "source": "dev", "type": "tmpfs"})
LOOK = "; ".join(f"readlink /proc/self/ns/{name}" for name in KINDS.values())


class Holder:
    """A process in new namespaces of all kinds, or of all but the user's."""

    def __init__(self, user):
        flags = ["--mount", "--uts", "--ipc", "--net", "--cgroup", "--time", "--pid", "--fork"]
        flags += ["--user", "--map-root-user"] if user else []
        self.process = subprocess.Popen(["unshare", *flags, "sh", "-c", "echo; read line"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.process.stdout.readline()
        pid = self.process.pid
        self.child = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().strip()

    def path(self, kind):
        return f"/proc/{self.child}/ns/{KINDS[kind]}"

    def close(self):
        self.process.communicate(b"\n")


@pytest.fixture
def holder(request):
    made = []

    def make(user):
        made.append(Holder(user))
        return made[-1]
    yield make
    for one in made:
        one.close()


@pytest.fixture
def proc_image(berth, image):
    """An image with a /proc of the host's, for containers that may mount none themselves, and a file that it is known by."""
    (image / "of-the-image").touch()
    subprocess.run(["mount", "--bind", "/proc", image / "proc"], check=True)
    berth.rootfs = image
    yield image
    subprocess.run(["umount", image / "proc"], check=True)


class Mix:
    """What a container has of each kind, and from whom: "user" and "host" own what is joined, but the user namespace."""

    def __init__(self, holder, row):
        self.choices = {kind: choice for kind, choice in row.items() if kind in KINDS}
        self.joined = holder(row["owner"] == "user")
        self.users = self.joined if row["owner"] == "user" else holder(True) if row["user"] == JOINED else None

    def path(self, kind):
        return (self.users if kind == "user" else self.joined).path(kind)

    def spaces(self):
        """In the order of the choices, as the order in the config must not matter."""
        return [{"type": kind} | ({"path": self.path(kind)} if choice == JOINED else {})
                for kind, choice in self.choices.items() if choice != INHERITED]

    def may_mount(self):
        """A joined mount namespace belongs to the user namespace that is joined, or to the host's."""
        mounts, user = self.choices["mount"], self.choices["user"]
        return mounts == NEW or mounts == JOINED and (
            user == INHERITED or user == JOINED and self.users is self.joined)

    def check(self, found):
        for kind, choice in self.choices.items():
            wanted = {JOINED: lambda: os.readlink(self.path(kind)), INHERITED: lambda: os.readlink(f"/proc/self/ns/{KINDS[kind]}")}
            others = [os.readlink(f"/proc/self/ns/{KINDS[kind]}")]
            others += [os.readlink(one.path(kind)) for one in (self.joined, self.users) if one]
            if choice == NEW:
                assert found[kind] not in others, f"{kind}: {self.choices}"
            else:
                assert found[kind] == wanted[choice](), f"{kind}: {self.choices}"


def bundle_in(berth, spaces, script, mounts=MOUNTS, **linux):
    bundle = berth.bundle("sh", "-c", script)
    config = berth.read_config(bundle)
    new_users = {"type": "user"} in spaces
    maps = {"uidMappings": IDENTITY, "gidMappings": IDENTITY} if new_users else {}
    config["linux"] = {"namespaces": spaces} | maps | linux
    config["mounts"] = list(mounts)
    config["root"]["readonly"] = False
    del config["hostname"]
    berth.write_config(bundle, config)
    return bundle


def configured(berth, mix, script):
    return bundle_in(berth, mix.spaces(), script, MOUNTS if mix.may_mount() else ())


def every_pair(factors):
    """Rows in which each value of a factor meets each value of every other one: the next row takes what meets most that
    is new, in an order of chance."""
    chance = random.Random(7)
    left = {frozenset(pair) for one, other in itertools.combinations(factors, 2)
            for pair in itertools.product([(one, value) for value in factors[one]], [(other, value) for value in factors[other]])}
    while left:
        row = dict(chance.choice(sorted(map(sorted, left))))
        for name in chance.sample(list(factors), len(factors)):
            if name not in row:
                row[name] = max(factors[name], key=lambda value: sum(
                    frozenset({(name, value), item}) in left for item in row.items()))
        left -= {frozenset(pair) for pair in itertools.combinations(row.items(), 2)}
        yield row


def name_of(row):
    return "-".join(f"{KINDS[kind]}{'+' if choice == JOINED else ''}" for kind, choice in row.items()
                    if kind in KINDS and choice != INHERITED) + f"-{row['owner']}"


def mixes():
    factors = dict.fromkeys(KINDS, (NEW, JOINED, INHERITED)) | {"owner": ("host", "user")}
    alone = [dict.fromkeys(KINDS, other) | {kind: choice, "owner": "host"} for kind in KINDS
             for other, choice in ((NEW, JOINED), (NEW, INHERITED))]
    return [pytest.param(row, id=name_of(row)) for row in (*alone, *every_pair(factors))]


def found_in(lines):
    return dict(zip(KINDS, lines.split()))


@own_users
@pytest.mark.parametrize("row", mixes())
def test_mix(berth, holder, proc_image, row):
    """Each in what its config says, the first process and one that comes later; and in the image."""
    mix = Mix(holder, row)
    container = berth.new_id()
    berth.ok("create", "-b", configured(berth, mix, f"({LOOK}) > /tmp/found; ls / > /tmp/list; exec sleep 1000"), container)
    berth.ok("start", container)
    exec_found = found_in(berth.ok("exec", container, "sh", "-c", f"while ! [ -s /tmp/list ]; do :; done; {LOOK}"))
    found = found_in((proc_image / "tmp/found").read_text())
    mix.check(found)
    assert exec_found == found
    assert "of-the-image" in (proc_image / "tmp/list").read_text().split()
    assert "of-the-image" in berth.ok("exec", container, "ls", "/").split()


@own_users
@pytest.mark.skipif(not shutil.which("runc"), reason="runc is not installed")
@pytest.mark.parametrize("row", [row for row in mixes() if row.values[0]["mount"] == NEW and row.values[0]["time"] == INHERITED])
def test_mix_with_runc(berth, holder, proc_image, row):
    """The test is right about what it can take."""
    mix = Mix(holder, row)
    bundle = configured(berth, mix, LOOK)
    done = subprocess.run(["runc", "--root", berth.folder / "runc", "run", "-b", bundle, berth.new_id()],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    if done.returncode != 0:
        pytest.skip(f"runc does not take it: {done.stderr[-300:]}")
    mix.check(found_in(done.stdout))


def without_mounts(config):
    config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "mount"]
    config["linux"] |= {"maskedPaths": [], "readonlyPaths": []}
    config["mounts"] = []
    config["root"]["readonly"] = False


@pytest.mark.parametrize("words", [[], ["--no-pivot"]], ids=["pivot", "no-pivot"])
def test_mounts_of_the_host(berth, words):
    """The image is the root, for the first process and for later ones, and the host has no mount more than before."""
    bundle = berth.bundle("sh", "-c", "ls /; pwd", cwd="/tmp")
    config = berth.read_config(bundle)
    without_mounts(config)
    berth.write_config(bundle, config)
    before = host_mounts(berth)
    ended = berth.ok("run", *words, "-b", bundle, berth.new_id()).split()
    assert "root" in ended and "boot" not in ended and ended[-1] == "/tmp"
    assert host_mounts(berth) == before


@enters_created
def test_exec_stays_in_the_image(berth):
    container = berth.new_id()
    bundle = berth.bundle("sh", "-c", "read line")
    config = berth.read_config(bundle)
    without_mounts(config)
    berth.write_config(bundle, config)
    berth.ok("create", "-b", bundle, container)
    assert berth.ok("exec", container, "ls", "/") == "".join(f"{path.name}\n" for path in sorted(berth.rootfs.iterdir()))
    assert berth.ok("exec", "--cwd", "/tmp", container, "pwd") == "/tmp\n"


@pytest.mark.parametrize("pointer, change", [
    ("/mounts/0", {"mounts": [{"destination": "/tmp", "type": "tmpfs"}]}), ("/root/readonly", {"root": {"readonly": True}}),
    ("/linux/maskedPaths/0", {"linux": {"maskedPaths": ["/etc"]}}),
    ("/linux/readonlyPaths/0", {"linux": {"readonlyPaths": ["/etc"]}}),
    ("/linux/rootfsPropagation", {"linux": {"rootfsPropagation": "private"}})])
def test_nothing_is_mounted_for_the_host(berth, pointer, change):
    bundle = berth.bundle()
    config = berth.read_config(bundle)
    without_mounts(config)
    for name, value in change.items():
        config[name] = config[name] | value if isinstance(value, dict) else value
    berth.write_config(bundle, config)
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert "nothing is mounted or changed in the host's mount namespace" in told and pointer in told


@needs_root
def test_many_joiners_at_once(berth, holder):
    """A joiner and the init that it clones talk on one channel: the joiner must be heard first, however busy the
    machine is."""
    bundle = configured(berth, Mix(holder, dict.fromkeys(KINDS, NEW) | {"time": JOINED, "owner": "host"}), "true")
    for _ in range(15):
        running = [subprocess.Popen(berth.command("run", "-b", bundle, berth.new_id()), stdin=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True) for _ in range(4)]
        assert [one.communicate()[1] for one in running] == [""] * 4


@any_ids
def test_exec_is_in_all_of_them(berth):
    container = berth.new_id()
    bundle = bundle_in(berth, [{"type": kind} for kind in KINDS], "read line", timeOffsets={"boottime": {"secs": 10**6}})
    berth.ok("create", "-b", bundle, container)
    pid = berth.state(container)["pid"]
    for name in KINDS.values():
        inside = berth.ok("exec", container, "readlink", f"/proc/self/ns/{name}").strip()
        assert inside == os.readlink(f"/proc/{pid}/ns/{name}")
    assert float(berth.ok("exec", container, "cat", "/proc/uptime").split()[0]) > 10**6
    assert float(pathlib.Path("/proc/uptime").read_text().split()[0]) < 10**6


def test_wrong_type(berth):
    bundle = bundle_in(berth, [{"type": "mount"}, {"type": "uts", "path": f"/proc/{os.getpid()}/ns/ipc"}], "true")
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert "is not a namespace of that type" in told and "/linux/namespaces/1" in told


def test_no_pivot_looks_the_same(berth):
    """Without a pivot the host's root is still there, below the container's: neither it nor what is mounted on it may
    be seen."""
    bundle = berth.bundle("sh", "-c", "ls /; pwd; cat /proc/self/mountinfo", cwd="/tmp")
    seen = []
    for words in ([], ["--no-pivot"]):
        lines = berth.ok("run", *words, "-b", bundle, berth.new_id()).splitlines()
        mounts = [line.split() for line in lines if " - " in line]
        seen.append(([line for line in lines if " - " not in line], [words[4] for words in mounts]))
    assert seen[0] == seen[1] and seen[0][0][-1] == "/tmp" and seen[0][1][0] == "/"
