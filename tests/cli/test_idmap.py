# SPDX-License-Identifier: Apache-2.0
"""Id-mapped mounts: which owner the container sees, and who owns on disk what it writes. Files on disk are of 0 and 1."""
import os
import subprocess

import pytest

from machine import host_ids, needs_root

pytestmark = needs_root

USER = [{"containerID": 0, "hostID": 100000, "size": 1000}]


@pytest.fixture
def source(tmp_path):
    """On a tmpfs of its own, which can be id-mapped on Linux 6.3, with another mounted below."""
    place = tmp_path / "source"
    place.mkdir()
    mounted = []
    try:
        for folder in (place, place / "below"):
            folder.mkdir(exist_ok=True)
            subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=777", "berth-test", folder], check=True)
            mounted.append(folder)
            (folder / "file").write_text("x")
            os.chown(folder / "file", 0, 1)
        yield place
    finally:
        for folder in reversed(mounted):
            subprocess.run(["umount", folder], check=True)


class Mapped:
    """Runs a container with one bind mount at /tmp."""

    def __init__(self, berth, source):
        self.berth, self.source = berth, source

    def bundle(self, options, script="ls -ln /tmp/file", user=True, **mount):
        bundle = self.berth.bundle("sh", "-c", script)
        config = self.berth.read_config(bundle)
        if user:
            config["linux"]["namespaces"] += [{"type": "user"}]
            config["linux"] |= {"uidMappings": USER, "gidMappings": USER}
        config["mounts"].append({"destination": "/tmp", "type": "bind", "source": str(self.source),
                                 "options": options} | mount)
        self.berth.write_config(bundle, config)
        return bundle

    def owners(self, *arguments, **keywords):
        output = self.berth.ok("run", "-b", self.bundle(*arguments, **keywords), self.berth.new_id())
        return [tuple(map(int, line.split()[2:4])) for line in output.splitlines()]

    def refused(self, *arguments, **keywords):
        return self.berth.fails("run", "-b", self.bundle(*arguments, **keywords), self.berth.new_id())


@pytest.fixture
def mapped(berth, source):
    return Mapped(berth, source)


def maps(file, host, size=10):
    mapping = [{"containerID": file, "hostID": host, "size": size}]
    return {"uidMappings": mapping, "gidMappings": mapping}


def test_without_a_map_the_owner_is_nobody(mapped):
    assert mapped.owners(["bind"]) == [(65534, 65534)]


def test_the_container_s_own_map(mapped):
    assert mapped.owners(["bind", "idmap"]) == [(0, 1)]


def test_what_the_container_writes(mapped, source):
    assert mapped.owners(["bind", "idmap"], "echo > /tmp/new; ls -ln /tmp/new") == [(0, 0)]
    assert (os.stat(source / "new").st_uid, os.stat(source / "new").st_gid) == (0, 0)


def test_the_tree_or_the_mount_alone(mapped, berth):
    script = "ls -ln /tmp/file; ls -ln /tmp/below/file"
    bundle = mapped.bundle(["rbind", "idmap"], script)
    output = berth.ok("run", "-b", bundle, berth.new_id())
    assert [line.split()[2:4] for line in output.splitlines()] == [["0", "1"], ["65534", "65534"]]
    config = berth.read_config(bundle)
    config["mounts"][-1]["options"] = ["rbind", "ridmap"]
    berth.write_config(bundle, config)
    output = berth.ok("run", "-b", bundle, berth.new_id())
    assert [line.split()[2:4] for line in output.splitlines()] == [["0", "1"], ["0", "1"]]


@pytest.mark.parametrize("options", [["bind", "idmap"], ["bind"]])
def test_maps_of_the_mount(mapped, options):
    assert mapped.owners(options, **maps(0, 100005)) == [(5, 6)]


@host_ids
def test_without_a_user_namespace(mapped):
    assert mapped.owners(["bind", "idmap"], "ls -ln /tmp/file", user=False, **maps(0, 7)) == [(7, 8)]


@pytest.mark.parametrize("word, owner", [
    ("idmap=uids=0-100002-10;gids=0-100003-10", (2, 4)),
    ("idmap=uids=5-100050-1#0-100002-3;gids=1-100003-1", (2, 3)),
    ("idmap=uids=@0-3-10;gids=@0-0-10", (3, 1)),
    ("ridmap=gids=@0-1-10;uids=0-100000-1", (0, 2)),
])
def test_crun_s_form(mapped, word, owner):
    assert mapped.owners(["bind", word]) == [owner]


@pytest.mark.parametrize("word", ["idmap=", "idmap=uids=0-1-2", "idmap=uids=0-1;gids=0-1-2", "idmap=uids=0-1-2;gids=x",
                                  "idmap=uids=0-1-2;gids=0-1-0", "idmap=uids=@5000-1-2;gids=0-1-2",
                                  "idmap=uids=0-1-2#1-5-2;gids=0-1-2", "idmap=what=0-1-2"])
def test_wrong_words(mapped, word):
    assert "/mounts/7/options/1" in mapped.refused(["bind", word])


def test_a_joined_user_namespace(mapped, berth):
    """Its own maps are taken, whatever the config says."""
    holder = berth.new_id()
    bundle = mapped.bundle(["bind"], "read line")
    berth.ok("create", "-b", bundle, holder)
    bundle = berth.bundle("ls", "-ln", "/tmp/file", name="joining")
    config = berth.read_config(bundle)
    config["linux"]["namespaces"] += [{"type": "user", "path": f"/proc/{berth.state(holder)['pid']}/ns/user"}]
    config["mounts"].append({"destination": "/tmp", "type": "bind", "source": str(mapped.source),
                             "options": ["bind", "idmap"]})
    berth.write_config(bundle, config)
    assert berth.ok("run", "-b", bundle, berth.new_id()).split()[2:4] == ["0", "1"]


@host_ids
def test_source_in_an_earlier_mount(mapped, berth, tmp_path):
    """Only init sees it: without a user namespace it may map it."""
    bundle = mapped.bundle(["bind"], "ls -ln /root/file", user=False)
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/root", "type": "bind", "source": config["root"]["path"] + "/tmp",
                             "options": ["bind", "idmap"]} | maps(0, 40))
    berth.write_config(bundle, config)
    assert berth.ok("run", "-b", bundle, berth.new_id()).split()[2:4] == ["40", "41"]


def test_each_mount_by_its_own_map(mapped, berth):
    bundle = mapped.bundle(["bind"], "ls -ln /tmp/file; ls -ln /root/file", **maps(0, 100005))
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/root", "type": "bind", "source": str(mapped.source),
                             "options": ["bind"]} | maps(0, 100009))
    berth.write_config(bundle, config)
    lines = berth.ok("run", "-b", bundle, berth.new_id()).splitlines()
    assert [line.split()[2:4] for line in lines] == [["5", "6"], ["9", "10"]]


def test_filesystem_that_cannot(mapped):
    told = mapped.refused(["bind", "idmap"], source="/proc/sys")
    assert "map the ids of the mount" in told and "/mounts/7" in told


def test_only_binds(mapped):
    told = mapped.refused(["idmap"], type="tmpfs", source="tmpfs")
    assert "only bind mounts can be id-mapped" in told and "/mounts/7" in told


@host_ids
def test_no_map_at_all(mapped):
    assert "/mounts/7" in mapped.refused(["bind", "idmap"], user=False)
