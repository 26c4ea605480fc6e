# SPDX-License-Identifier: Apache-2.0
"""Every kind of namespace: new, joined or inherited, in mixes, with and without user namespaces."""
import os
import pathlib
import random
import subprocess

import pytest

KINDS = {"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user",
         "cgroup": "cgroup", "time": "time"}
NEW, JOINED, INHERITED = "new", "joined", "inherited"
IDENTITY = [{"containerID": 0, "hostID": 0, "size": 65536}]
MOUNTS = [{"destination": "/proc", "source": "/proc", "type": "bind", "options": ["rbind"]},
          {"destination": "/dev", "source": "dev", "type": "tmpfs"}]


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


def configured(berth, choices, holder, script):
    bundle = berth.bundle("sh", "-c", script)
    config = berth.read_config(bundle)
    spaces = []
    for kind, choice in choices.items():
        if choice != INHERITED:
            spaces.append({"type": kind} | ({"path": holder.path(kind)} if choice == JOINED else {}))
    maps = {"uidMappings": IDENTITY, "gidMappings": IDENTITY} if choices["user"] == NEW else {}
    config["linux"] = {"namespaces": spaces} | maps
    config["mounts"] = MOUNTS
    del config["hostname"]
    berth.write_config(bundle, config)
    return bundle


def check(berth, choices, holder):
    """In a random order, as the order in the config must not matter."""
    script = "; ".join(f"readlink /proc/self/ns/{name}" for name in KINDS.values())
    wanted = {kind: os.readlink(holder.path(kind)) for kind in KINDS}
    bundle = configured(berth, choices, holder, script)
    found = dict(zip(KINDS, berth.ok("run", "-b", bundle, berth.new_id()).split()))
    for kind, choice in choices.items():
        own = os.readlink(f"/proc/self/ns/{KINDS[kind]}")
        seen = {own: INHERITED, wanted[kind]: JOINED}
        if own == wanted[kind]:
            assert found[kind] == own or choice == NEW
        else:
            assert seen.get(found[kind], NEW) == choice, f"{kind}: {choices}"


def one_at_a_time():
    for kind in KINDS:
        for choice in (JOINED, INHERITED):
            if (kind, choice) != ("mount", INHERITED):
                yield {other: NEW for other in KINDS} | {kind: choice}


def mixes(count):
    chance = random.Random(7)
    for _ in range(count):
        kinds = list(KINDS)
        chance.shuffle(kinds)
        yield {kind: chance.choice((NEW, JOINED) if kind == "mount" else (NEW, JOINED, INHERITED)) for kind in kinds}


def name_of(choices):
    return "-".join(f"{KINDS[kind]}{'+' if choice == JOINED else ''}" for kind, choice in choices.items()
                    if choice != INHERITED)


def mixes_of_both_holders():
    """Only one of them has a user namespace that could be joined."""
    for choices in (*one_at_a_time(), *mixes(24)):
        for user in (True,) if choices["user"] == JOINED else (False, True):
            yield pytest.param(user, choices, id=f"{name_of(choices)}-{'user' if user else 'root'}")


@pytest.mark.parametrize("user, choices", mixes_of_both_holders())
def test_mix(berth, holder, user, choices):
    if (choices["user"], choices["mount"]) != (NEW, JOINED):
        check(berth, choices, holder(user))
        return
    told = berth.fails("run", "-b", configured(berth, choices, holder(user), "true"), berth.new_id())
    assert "cannot be joined from a new user namespace" in told and "/linux/namespaces/" in told


def test_many_joiners_at_once(berth, holder):
    """A joiner and the init that it clones talk on one channel: the joiner must be heard first, however busy the
    machine is."""
    choices = dict.fromkeys(KINDS, NEW) | {"time": JOINED}
    bundle = configured(berth, choices, holder(False), "true")
    for _ in range(15):
        running = [subprocess.Popen(berth.command("run", "-b", bundle, berth.new_id()), stdin=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True) for _ in range(4)]
        assert [one.communicate()[1] for one in running] == [""] * 4


def test_exec_is_in_all_of_them(berth):
    container = berth.new_id()
    bundle = configured(berth, dict.fromkeys(KINDS, NEW), None, "read line")
    config = berth.read_config(bundle)
    config["linux"]["timeOffsets"] = {"boottime": {"secs": 10**6}}
    berth.write_config(bundle, config)
    berth.ok("create", "-b", bundle, container)
    pid = berth.state(container)["pid"]
    for name in KINDS.values():
        inside = berth.ok("exec", container, "readlink", f"/proc/self/ns/{name}").strip()
        assert inside == os.readlink(f"/proc/{pid}/ns/{name}")
    assert float(berth.ok("exec", container, "cat", "/proc/uptime").split()[0]) > 10**6
    assert float(pathlib.Path("/proc/uptime").read_text().split()[0]) < 10**6


def test_wrong_type(berth, holder):
    one = holder(False)
    bundle = configured(berth, dict.fromkeys(KINDS, INHERITED) | {"mount": NEW}, one, "true")
    config = berth.read_config(bundle)
    config["linux"]["namespaces"].append({"type": "uts", "path": one.path("ipc")})
    berth.write_config(bundle, config)
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
