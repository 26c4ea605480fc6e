# SPDX-License-Identifier: Apache-2.0
"""Device nodes of every kind, in user namespaces, and where /dev of the image is no plain directory."""
import os
import shutil
import stat

import pytest

from machine import any_ids, makes_nodes

MAPS = [{"containerID": 0, "hostID": 0, "size": 65536}]
LIST = "ls -ln"


@pytest.fixture
def root(image):
    """A root that may be written, of this test only."""
    return image


def configured(berth, devices, script, **shape):
    """root: another one. dev: whether something is mounted on /dev. user: whether there is a user namespace."""
    root, dev, user = shape.pop("root", None), shape.pop("dev", True), shape.pop("user", False)
    bundle = berth.bundle("sh", "-c", script, **shape)
    config = berth.read_config(bundle)
    if root:
        config["root"] = {"path": str(root)}
    if not dev:
        config["mounts"] = [mount for mount in config["mounts"] if not mount["destination"].startswith("/dev")]
    if user:
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"] |= {"uidMappings": MAPS, "gidMappings": MAPS}
    config["linux"]["devices"] = devices
    berth.write_config(bundle, config)
    return bundle


def run(berth, *arguments, **changes):
    return berth.ok("run", "-b", configured(berth, *arguments, **changes), berth.new_id())


def rows(text):
    """Mode, owner, group and numbers, by path."""
    found = {}
    for words in map(str.split, text.splitlines()):
        numbers = words[4] + words[5] if words[0][0] in "bc" else ""
        found[words[-1]] = (words[0], words[2], words[3], numbers)
    return found


@makes_nodes
def test_every_kind(berth, root):
    devices = [{"path": "/dev/char", "type": "c", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 3, "gid": 4},
               {"path": "/dev/raw", "type": "u", "major": 1, "minor": 7},
               {"path": "/dev/block", "type": "b", "major": 7, "minor": 0, "fileMode": 0o600},
               {"path": "/dev/pipe/", "type": "p", "fileMode": 0o622, "uid": 5},
               {"path": "/srv/below/zero", "type": "c", "major": 1, "minor": 5}]
    text = run(berth, devices, f"{LIST} /dev/char /dev/raw /dev/block /dev/pipe /srv/below/zero", root=root)
    assert rows(text) == {"/dev/char": ("crw-r-----", "3", "4", "1,5"), "/dev/raw": ("crw-rw-rw-", "0", "0", "1,7"),
                          "/dev/block": ("brw-------", "0", "0", "7,0"), "/dev/pipe": ("prw--w--w-", "5", "0", ""),
                          "/srv/below/zero": ("crw-rw-rw-", "0", "0", "1,5")}


@any_ids
def test_in_a_user_namespace(berth):
    """Bound from the host, and usable; a pipe is made."""
    devices = [{"path": "/dev/full", "type": "c", "major": 1, "minor": 7},
               {"path": "/dev/pipe", "type": "p", "fileMode": 0o600}]
    script = f"{LIST} /dev/null /dev/full /dev/pipe; echo x > /dev/null && dd if=/dev/zero bs=1 count=3 2>/dev/null | wc -c"
    text = run(berth, devices, script, user=True)
    found = rows("\n".join(text.splitlines()[:3]))
    assert found["/dev/null"][3] == "1,3" and found["/dev/full"][3] == "1,7" and found["/dev/pipe"][0] == "prw-------"
    assert text.splitlines()[3] == "3"


@pytest.mark.parametrize("path,minor", [("/dev/not-on-the-host", 5), ("/dev/zero", 7)])
@any_ids
def test_host_has_another_in_a_user_namespace(berth, path, minor):
    bundle = configured(berth, [{"path": path, "type": "c", "major": 1, "minor": minor}], "true", user=True)
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert "/linux/devices/0" in told and f"bind device {path} of the host" in told


@makes_nodes
def test_what_is_there_must_be_the_same(berth, root):
    os.mknod(root / "dev/zero", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    run(berth, [], "true", root=root, dev=False)
    os.unlink(root / "dev/zero")
    (root / "dev/zero").write_text("")
    told = berth.fails("run", "-b", berth.folder / "bundle", berth.new_id())
    assert "make device /dev/zero" in told and "exists" in told


def link_dev(root, target):
    shutil.rmtree(root / "dev")
    (root / "dev").symlink_to(target)


@pytest.mark.parametrize("user", [False, pytest.param(True, marks=any_ids)])
@pytest.mark.parametrize("dev", [False, True])
def test_dev_is_a_link(berth, root, dev, user):
    """Absolute, and led by ".." out of the image if it were followed from outside."""
    (root / "real").mkdir()
    link_dev(root, "/../../real")
    text = run(berth, [{"path": "/dev/full", "type": "c", "major": 1, "minor": 7}],
               f"{LIST} /real/full /dev/null; readlink /dev/fd", root=root, dev=dev, user=user)
    assert rows("\n".join(text.splitlines()[:2]))["/real/full"][3] == "1,7" and text.endswith("/proc/self/fd\n")


def test_dev_is_a_link_and_there_is_a_terminal(berth, root):
    (root / "real").mkdir()
    link_dev(root, "real")
    text = run(berth, [], "ls -l /real/console; test -t 0 && echo terminal", root=root, terminal=True)
    assert "/real/console" in text and "terminal" in text


def test_dev_is_a_link_into_a_volume(berth, root, tmp_path):
    """The image's link must not make nodes in what the host lends."""
    volume = tmp_path / "volume"
    volume.mkdir()
    link_dev(root, "/volume")
    bundle = configured(berth, [], "true", root=root, dev=False)
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/volume", "source": str(volume), "type": "bind", "options": ["rbind"]})
    berth.write_config(bundle, config)
    assert "/dev of the image" in berth.fails("run", "-b", bundle, berth.new_id())
    assert os.listdir(volume) == []


def test_dev_is_a_bind_mount(berth, tmp_path):
    """Somebody else's: nothing is made in it, and that is said."""
    volume = tmp_path / "volume"
    volume.mkdir()
    (volume / "null").write_text("")
    bundle = configured(berth, [{"path": "/dev/full", "type": "c", "major": 1, "minor": 7}], "ls /dev", dev=False)
    config = berth.read_config(bundle)
    config["mounts"].append({"destination": "/dev", "source": str(volume), "type": "bind", "options": ["rbind"]})
    berth.write_config(bundle, config)
    done = berth("run", "-b", bundle, berth.new_id())
    assert done.returncode == 0 and done.stdout == "null\n" and os.listdir(volume) == ["null"]
    assert "/linux/devices: not made, because /dev is a bind mount" in done.stderr
