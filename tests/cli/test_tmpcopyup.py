# SPDX-License-Identifier: Apache-2.0
"""A tmpfs that starts with what the image has at its place (tmpcopyup)."""
import os
import stat
import subprocess

import pytest

from machine import needs_root, reads_init

from shapes import CAPABILITY, SHAPE, id_inside

PLACE = "var/lib/app"
PAST = 1_000_000_000


@pytest.fixture
def image(image):
    (image / PLACE).mkdir(parents=True)
    return image


def fill(place):
    """One of each kind of file."""
    (place / "file").write_text("of the image\n")
    os.link(place / "file", place / "same")
    (place / "deep/er/est").mkdir(parents=True)
    os.link(place / "file", place / "deep/er/again")
    (place / "deep/er/est/leaf").write_text("leaf")
    (place / "absolute").symlink_to("/etc/passwd")
    (place / "outside").symlink_to("../" * 20 + "etc/hostname")
    (place / "loop").symlink_to("loop")
    os.mkfifo(place / "pipe", 0o620)
    os.mknod(place / "null", 0o640 | stat.S_IFCHR, os.makedev(1, 3))
    (place / "program").write_text("#!/bin/sh\n")
    os.chown(place / "program", 12, 34)
    (place / "program").chmod(0o6755)
    os.setxattr(place / "program", "security.capability", bytes.fromhex("0100000200040000000000000000000000000000"))
    (place / "shut").mkdir()
    (place / "shut/inner").write_text("inner")
    with open(place / "sparse", "wb") as sparse:
        sparse.seek(64 << 20)
        sparse.write(b"end")
    os.chown(place / "shut", 5, 6)
    (place / "shut").chmod(0o2511)
    for folder, below, files in os.walk(place, topdown=False):
        for name in [*below, *files]:
            os.utime(f"{folder}/{name}", ns=(PAST * 10**9 + 7, PAST * 10**9 + 8), follow_symlinks=False)
    os.chown(place, 77, 88)
    place.chmod(0o1751)
    os.utime(place, (PAST, PAST))


def attribute(path, name):
    """Of capabilities what they are: the version, and for whose root, depend on who asks."""
    value = os.getxattr(path, name, follow_symlinks=False)
    return value[4:20] if name == CAPABILITY else value


def describe(path):
    status = os.lstat(path)
    kind = stat.S_IFMT(status.st_mode)
    return {"mode": oct(status.st_mode), "owner": (id_inside(status.st_uid), id_inside(status.st_gid)), "modified": status.st_mtime_ns,
            "names": 0 if kind == stat.S_IFDIR else status.st_nlink, "device": status.st_rdev,
            "link": os.readlink(path) if kind == stat.S_IFLNK else None,
            "size": 0 if kind == stat.S_IFDIR else status.st_size,
            "text": open(path, "rb").read(100) if kind == stat.S_IFREG else None,
            "attributes": {name: attribute(path, name) for name in os.listxattr(path, follow_symlinks=False)}}


def tree(place):
    """Every name below, and the place itself as "."."""
    found = {".": describe(place)}
    for folder, below, files in os.walk(place):
        for name in [*below, *files]:
            path = os.path.join(folder, name)
            found[os.path.relpath(path, place)] = describe(path)
    return found


def bundle_of(berth, image, options, *words, more=()):
    bundle = berth.bundle(*words)
    config = berth.read_config(bundle)
    config["root"] = {"path": str(image), "readonly": True}
    config["mounts"] += [*more, {"destination": f"/{PLACE}", "type": "tmpfs", "source": "tmpfs", "options": options}]
    berth.write_config(bundle, config)
    return bundle


def run(berth, image, options, *words):
    return berth.ok("run", "-b", bundle_of(berth, image, options, *words), berth.new_id())


def inside(berth, image, options, more=()):
    """The tree as the container has it."""
    container = berth.new_id()
    berth.ok("create", "-b", bundle_of(berth, image, options, "true", more=more), container)
    return tree(f"/proc/{berth.state(container)['pid']}/root/{PLACE}")


@needs_root
def test_everything_is_kept(berth, image):
    fill(image / PLACE)
    wanted = tree(image / PLACE)
    found = inside(berth, image, ["tmpcopyup"])
    assert tree(image / PLACE) == wanted, "the image was changed"
    if SHAPE:  # no device node is made in a user namespace
        del wanted["null"]
    assert found == wanted


@needs_root
def test_hard_links_are_of_one_file(berth, image):
    fill(image / PLACE)
    container = berth.new_id()
    berth.ok("create", "-b", bundle_of(berth, image, ["tmpcopyup"], "true"), container)
    place = f"/proc/{berth.state(container)['pid']}/root/{PLACE}"
    assert len({os.stat(f"{place}/{name}").st_ino for name in ("file", "same", "deep/er/again")}) == 1


@needs_root
def test_holes_take_no_room(berth, image):
    fill(image / PLACE)
    assert run(berth, image, ["tmpcopyup", "size=1m"], "sh", "-c", f"wc -c </{PLACE}/sparse") == f"{(64 << 20) + 3}\n"


@needs_root
def test_it_is_a_copy(berth, image):
    fill(image / PLACE)
    text = run(berth, image, ["tmpcopyup"], "sh", "-c",
               f"cd /{PLACE}; cat file; echo changed >file; cat same; grep ' /{PLACE} ' /proc/mounts || cat /proc/mounts")
    assert text.startswith("of the image\nchanged\n") and f"tmpfs /{PLACE} tmpfs" in text
    assert (image / PLACE / "file").read_text() == "of the image\n"


@needs_root
def test_options_of_the_filesystem_win(berth, image):
    fill(image / PLACE)
    root = inside(berth, image, ["tmpcopyup", "mode=0700", "uid=3", "gid=4"])["."]
    assert root["mode"] == "0o40700" and root["owner"] == (3, 4)


@reads_init
def test_many_entries_and_levels(berth, image):
    place = image / PLACE
    for number in range(3000):
        (place / f"a-rather-long-name-of-a-file-{number}").write_text(str(number))
    deep = place
    for level in range(150):
        deep = deep / f"l{level}"
        deep.mkdir()
        (deep / "before").write_text("x")
        os.link(deep / "before", place / f"name{level}")
    assert inside(berth, image, ["tmpcopyup"]) == tree(place)


@reads_init
def test_a_place_that_is_not_there(berth, image):
    (image / PLACE).rmdir()
    assert list(inside(berth, image, ["tmpcopyup"])) == ["."]


@needs_root
def test_read_only(berth, image):
    fill(image / PLACE)
    text = run(berth, image, ["tmpcopyup", "ro"], "sh", "-c", f"cat /{PLACE}/file; echo no 2>&1 >/{PLACE}/new; true")
    assert text.startswith("of the image\n") and not (image / PLACE / "new").exists()


@needs_root
def test_mounts_below_are_left_out(berth, image, tmp_path):
    fill(image / PLACE)
    other = tmp_path / "other"
    other.mkdir()
    (other / "secret").write_text("x")
    bind = {"destination": f"/{PLACE}/deep/er", "type": "bind", "source": str(other), "options": ["bind"]}
    found = inside(berth, image, ["tmpcopyup"], more=[bind])
    assert "deep/er" in found and "deep/er/secret" not in found and "deep/er/est" not in found


def test_too_small(berth, image):
    (image / PLACE / "large").write_bytes(b"x" * (1 << 20))
    told = berth.fails("run", "-b", bundle_of(berth, image, ["tmpcopyup", "size=64k"], "true"), berth.new_id())
    assert "no space left on device" in told and f"/{PLACE}" in told and "/mounts/" in told


@pytest.fixture
def deep_image(image):
    """Deeper than berth copies, which is less deep than runc does."""
    descriptor = os.open(image / PLACE, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=descriptor)
        below = os.open("d", os.O_RDONLY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = below
    os.close(descriptor)
    yield image
    subprocess.run(["rm", "-rf", image / PLACE / "d"], check=True)  # pytest cannot remove it


def test_too_deep(berth, deep_image):
    told = berth.fails("run", "-b", bundle_of(berth, deep_image, ["tmpcopyup"], "true"), berth.new_id())
    assert "nested too deep" in told and "/mounts/" in told


@needs_root
def test_in_a_user_namespace(berth, image):
    place = image / PLACE
    (place / "file").write_text("of the image")
    os.chown(place / "file", 100007, 100008)
    os.mkfifo(place / "pipe")
    os.chown(place / "pipe", 100000, 100000)
    os.mknod(place / "null", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    os.chown(place / "null", 100000, 100000)
    os.chown(place, 100001, 100002)
    for parent in (image, *image.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    bundle = bundle_of(berth, image, ["tmpcopyup"], "sh", "-c", f"ls -lnd /{PLACE} /{PLACE}/*; cat /{PLACE}/file")
    config = berth.read_config(bundle)
    config["linux"]["namespaces"] += [{"type": "user"}]
    maps = [{"containerID": 0, "hostID": 100000, "size": 1000}]
    config["linux"] |= {"uidMappings": maps, "gidMappings": maps}
    berth.write_config(bundle, config)
    lines = berth.ok("run", "-b", bundle, berth.new_id()).splitlines()
    owners = {line.split()[-1]: line.split()[2:4] for line in lines if line[0] in "-dp"}
    assert owners == {f"/{PLACE}": ["1", "2"], f"/{PLACE}/file": ["7", "8"], f"/{PLACE}/pipe": ["0", "0"]}
    assert lines[-1] == "of the image"
