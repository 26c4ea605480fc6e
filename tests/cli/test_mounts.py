# SPDX-License-Identifier: Apache-2.0
"""Mounts of config.json, one by one: seen from inside the container."""
import itertools
import os
import resource
import shutil
import subprocess

import pytest

from machine import any_ids
from shapes import SHAPE


@pytest.fixture
def source(tmp_path):
    """A directory of the host's."""
    place = tmp_path / "source"
    place.mkdir()
    (place / "file").write_text("of the host\n")
    return place


def bundle_of(berth, image, mounts, *words):
    bundle = berth.bundle(*words)
    config = berth.read_config(bundle)
    config["root"] = {"path": str(image), "readonly": True}
    config["mounts"] += mounts
    berth.write_config(bundle, config)
    return bundle


def run(berth, image, mounts, script):
    return berth.ok("run", "-b", bundle_of(berth, image, mounts, "sh", "-c", script), berth.new_id())


def refused(berth, image, *mounts):
    """What is said; the first of mounts is the one that is refused."""
    bundle = bundle_of(berth, image, mounts, "true")
    index = len(berth.read_config(bundle)["mounts"]) - len(mounts)
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert f"/mounts/{index}" in told, told
    return told


def bind(source, destination, *options):
    return {"destination": destination, "type": "bind", "source": str(source), "options": ["bind", *options]}


def test_many_mounts_and_few_descriptors(berth):
    bundle = berth.bundle("true")
    config = berth.read_config(bundle)
    (bundle / "file").touch()
    config["mounts"] += [bind(bundle / "file", f"/tmp/{number}") for number in range(100)]
    config["mounts"] += [{"destination": f"/tmp/t{number}/x", "type": "tmpfs", "source": "x", "options": ["mode=700"]} for number in range(60)]
    berth.write_config(bundle, config)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    few = 512 if SHAPE else 64  # with a user namespace the host opens the sources
    berth.ok("run", "-b", bundle, berth.new_id(), preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (few, hard)))


def test_directory_onto_a_file(berth, image, source):
    told = refused(berth, image, bind(source, "/etc/passwd"))
    assert "not a directory" in told and "/etc/passwd" in told and "a directory cannot be mounted onto a file" in told


def test_file_onto_a_directory(berth, image, source):
    told = refused(berth, image, bind(source / "file", "/etc"))
    assert "not a directory" in told and "a file cannot be mounted onto a directory" in told


def test_tmpfs_onto_a_file(berth, image):
    told = refused(berth, image, {"destination": "/etc/passwd", "type": "tmpfs", "source": "tmpfs"})
    assert "not a directory" in told and "a directory cannot be mounted onto a file" in told


LINKED = "/tmp/no-such-place"  # what links of the tests say


@pytest.fixture(params=[False, pytest.param(True, marks=any_ids)], ids=["host ids", "user namespace"])
def mapped_ids(request):
    return request.param


class Links:
    """A file and a link to it on the host, with or without a user namespace that could not reach them."""

    def __init__(self, berth, image, mapped_ids):
        self.berth, self.image, self.mapped_ids = berth, image, mapped_ids
        self.closed = image.parent / "closed"
        self.closed.mkdir()
        (self.closed / "target").write_text("target of the host\n")
        (self.closed / "link").symlink_to("target")
        (self.closed / "odd").symlink_to(LINKED)
        (image / "etc/linked").write_text("linked file of the image\n")
        (image / "etc/link").symlink_to("linked")
        self.closed.chmod(0o700)

    def change(self, bundle):
        if not self.mapped_ids:
            return bundle
        for parent in (self.image, *self.image.parents[:3]):
            parent.chmod(parent.stat().st_mode | 0o055)
        config = self.berth.read_config(bundle)
        for path in (self.image, *self.image.rglob("*")):
            os.chown(path, 100000, 100000, follow_symlinks=False)
        config["linux"]["namespaces"].append({"type": "user"})
        maps = [{"containerID": 0, "hostID": 100000, "size": 1000}]
        config["linux"] |= {"uidMappings": maps, "gidMappings": maps}
        self.berth.write_config(bundle, config)
        return bundle

    def see(self, mount, script):
        bundle = self.change(bundle_of(self.berth, self.image, [mount], "sh", "-c", script))
        return self.berth.ok("run", "-b", bundle, self.berth.new_id())

    def refused(self, mount):
        bundle = self.change(bundle_of(self.berth, self.image, [mount], "true"))
        return self.berth.fails("run", "-b", bundle, self.berth.new_id())


@pytest.fixture
def links(berth, image, mapped_ids):
    return Links(berth, image, mapped_ids)


def test_links_are_followed(links):
    mount = bind(links.closed / "link", "/etc/link")
    assert links.see(mount, "readlink /etc/link; cat /etc/link /etc/linked") == "linked\n" + "target of the host\n" * 2


def test_source_is_the_link_itself(links):
    mount = bind(links.closed / "odd", "/etc/link", "src-nofollow", "dest-nofollow")
    assert links.see(mount, "readlink /etc/link; cat /etc/linked") == f"{LINKED}\nlinked file of the image\n"


def test_source_link_on_a_new_target(links):
    assert links.see(bind(links.closed / "odd", "/etc/new", "src-nofollow"), "readlink /etc/new") == f"{LINKED}\n"


def test_target_is_the_link_itself(links):
    mount = bind(links.closed / "target", "/etc/link", "dest-nofollow")
    assert links.see(mount, "cat /etc/link /etc/linked") == "target of the host\nlinked file of the image\n"


def test_link_is_made_anew(links):
    mount = bind(links.closed / "odd", "/etc/deep/new", "copy-symlink")
    assert links.see(mount, "readlink /etc/deep/new; grep deep /proc/self/mountinfo; true").splitlines() == [LINKED]
    assert os.readlink(links.image / "etc/deep/new") == LINKED


def test_link_is_there_already(links):
    (links.image / "etc/same").symlink_to(LINKED)
    assert links.see(bind(links.closed / "odd", "/etc/same", "copy-symlink"), "readlink /etc/same") == f"{LINKED}\n"


@pytest.mark.parametrize("target", ["/etc/link", "/etc/linked", "/etc"])
def test_something_else_is_there(links, target):
    told = links.refused(bind(links.closed / "odd", target, "copy-symlink"))
    assert "copy-symlink" in told and "file exists" in told and "/mounts/" in told


def test_copy_symlink_of_a_file(links):
    mount = bind(links.closed / "target", "/etc/link", "copy-symlink")
    assert links.see(mount, "cat /etc/link") == "target of the host\n"


LOCKED = {"ro", "nosuid", "nodev", "noexec", "noatime"}


@pytest.fixture
def guarded(berth, image, tmp_path, as_root):
    """Runs a container of a user who has a tmpfs with all flags set from outside its user namespace; each word is an
    option of the bind. What the container's mountinfo has, or what berth says."""
    place = tmp_path / "guarded"
    place.mkdir()
    for parent in (image, *image.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)

    def see(*words):
        bundle = bundle_of(berth, image, [bind(place, "/tmp", *words)], "cat", "/proc/self/mountinfo")
        config = berth.read_config(bundle)
        config["mounts"] = [mount for mount in config["mounts"] if mount["type"] in ("proc", "bind")]
        maps = [{"containerID": 0, "hostID": 0, "size": 1}]
        config["linux"] |= {"uidMappings": maps, "gidMappings": maps}
        config["linux"]["namespaces"] = [{"type": kind} for kind in ("mount", "pid", "user")]
        del config["hostname"]
        berth.write_config(bundle, config)
        command = ["unshare", "--user", "--map-root-user", "--mount", "--propagation", "private",
                   *berth.command("run", "-b", bundle, berth.new_id())]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            return done.stderr
        return next(set(line.split()[5].split(",")) for line in done.stdout.splitlines() if line.split()[4] == "/tmp")

    subprocess.run(["mount", "-t", "tmpfs", "-o", ",".join(LOCKED), "berth-test", place], check=True)
    try:
        yield see
    finally:
        subprocess.run(["umount", place], check=True)


def test_locked_flags_stay(guarded):
    assert guarded() == LOCKED


def test_locked_flags_may_be_asked_for(guarded):
    assert guarded("ro", "nosuid", "noatime", "nosymfollow") == LOCKED | {"nosymfollow"}


@pytest.mark.parametrize("word", ["rw", "suid", "dev", "exec", "relatime", "nodiratime", "rrw", "rrelatime"])
def test_locked_flags_cannot_be_cleared(guarded, word):
    told = guarded(word)
    assert "cannot clear locked flags" in told and f"leave out {word}" in told and "/mounts/1" in told


def test_flags_of_the_source_stay(berth, image, guarded, tmp_path):
    """Root as well clears only what is asked for."""
    text = run(berth, image, [bind(tmp_path / "guarded", "/tmp", "rw", "exec")], "cat /proc/self/mountinfo")
    line = next(line for line in text.splitlines() if line.split()[4] == "/tmp")
    assert set(line.split()[5].split(",")) == {"rw", "nosuid", "nodev", "noatime"}


def options_of(text, target):
    """Options of the last mount there, from mountinfo."""
    return [set(line.split()[5].split(",")) for line in text.splitlines()
            if " - " in line and line.split()[4] == target][-1]


def of_filesystem(text, place):
    """The options of the filesystem mounted there, not of the mount."""
    line = next(each for each in text.splitlines() if each.split()[4] == place)
    return set(line.split(" - ")[1].split()[2].split(","))


SMALL = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["size=64k", "nr_inodes=100", "nodev"]}


def test_remount_changes_the_filesystem(berth, image):
    again = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["remount", "size=1m", "noexec"]}
    text = run(berth, image, [SMALL, again], "cat /proc/self/mountinfo")
    # What is not named stays as it was.
    assert of_filesystem(text, "/tmp") >= {"rw", "size=1024k", "nr_inodes=100"}
    assert options_of(text, "/tmp") >= {"nodev", "noexec"}


@pytest.mark.parametrize("option, words", [("nothing=7", "set option nothing"), ("size=", "set option size"),
                                           ("nr_inodes=1", "change the options of the filesystem")])
def test_remount_with_what_the_filesystem_refuses(berth, image, option, words):
    again = {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["remount", option]}
    # Its root directory and one more are more inodes than one.
    filled = {"destination": "/tmp/below", "type": "tmpfs", "source": "tmpfs"}
    bundle = bundle_of(berth, image, [SMALL, filled, again], "true")
    told = berth.fails("run", "-b", bundle, berth.new_id())
    assert words in told and "/mounts/" in told, told


@pytest.fixture
def tree(tmp_path, as_root):
    """Makes a mount with another below it, both with these flags."""
    mounted = []

    def make(*flags):
        place = tmp_path / "tree"
        place.mkdir()
        for folder in (place, place / "below"):
            subprocess.run(["mount", "-t", "tmpfs", "berth-test", folder], check=True)
            mounted.append(folder)
            (place / "below").mkdir(exist_ok=True)
        for folder in mounted:
            subprocess.run(["mount", "-o", ",".join(("remount", "bind", *flags)), folder], check=True)
        return place

    yield make
    for folder in reversed(mounted):
        subprocess.run(["umount", folder], check=True)


RELATIME = {"rw", "relatime"}
ALL_SET = ("ro", "nosuid", "nodev", "noexec", "noatime", "nodiratime", "nosymfollow")


@pytest.mark.parametrize("word, flags", [
    ("rro", {"ro", "relatime"}), ("rnosuid", RELATIME | {"nosuid"}), ("rnodev", RELATIME | {"nodev"}),
    ("rnoexec", RELATIME | {"noexec"}), ("rnodiratime", RELATIME | {"nodiratime"}),
    ("rnoatime", {"rw", "noatime"}), ("rstrictatime", {"rw"}), ("rnosymfollow", RELATIME | {"nosymfollow"}),
])
def test_recursive_attribute_is_set(berth, image, tree, word, flags):
    text = run(berth, image, [bind(tree("relatime"), "/tmp", "rbind", word)], "cat /proc/self/mountinfo")
    assert options_of(text, "/tmp") == options_of(text, "/tmp/below") == flags


@pytest.mark.parametrize("change", [
    ("rrw", "ro", {"rw"}), ("rsuid", "nosuid", set()), ("rdev", "nodev", set()), ("rexec", "noexec", set()),
    ("rdiratime", "nodiratime", set()), ("rsymfollow", "nosymfollow", set()), ("ratime", "noatime", {"relatime"}),
    ("rrelatime", "noatime", {"relatime"}), ("rnorelatime", "noatime", {"relatime"}),
    ("rnostrictatime", "noatime", {"relatime"}),
])
def test_recursive_attribute_is_cleared(berth, image, tree, change):
    word, gone, comes = change
    text = run(berth, image, [bind(tree(*ALL_SET), "/tmp", "rbind", word)], "cat /proc/self/mountinfo")
    assert options_of(text, "/tmp") == options_of(text, "/tmp/below") == set(ALL_SET) - {gone} | comes


def test_plain_words_are_of_one_mount(berth, image, tree):
    text = run(berth, image, [bind(tree("relatime"), "/tmp", "rbind", "ro")], "cat /proc/self/mountinfo")
    assert options_of(text, "/tmp") == {"ro", "relatime"} and options_of(text, "/tmp/below") == RELATIME


def test_bind_leaves_out_what_is_below(berth, image, tree):
    text = run(berth, image, [bind(tree("relatime"), "/tmp")], "cat /proc/self/mountinfo")
    assert "/tmp/below" not in text.replace("/tree/below", "")


@pytest.mark.parametrize("mount", [
    bind("/no/such/source", "/tmp"), {"destination": "/tmp", "type": "nosuchfilesystem", "source": "x"},
    {"destination": "/tmp", "type": "tmpfs", "source": "x", "options": ["nosuchoption=1"]},
    {"destination": "/etc/passwd", "type": "tmpfs", "source": "x"},
])
def test_nofail(berth, image, mount):
    refused(berth, image, mount)
    shutil.rmtree(berth.folder / "bundle")
    words = [*mount.get("options", []), "nofail"]
    after = {"destination": "/root", "type": "tmpfs", "source": "after"}
    text = run(berth, image, [mount | {"options": words}, after], "cat /proc/self/mountinfo")
    assert " /tmp " not in text and options_of(text, "/root")


@pytest.mark.parametrize("path, place", [
    ("/etc/absolute/x", "root/x"), ("/etc/climbing/x", "root/x"), ("/etc/dangling/x", "not/there/x"),
    ("/etc/dangling", "not/there"), ("/etc/chain/x", "root/x"), ("/../../root/x", "root/x"),
    ("/etc/magic/x", "proc/self/root/x"),
])
def test_targets_stay_in_the_root(berth, image, source, path, place):
    (image / "etc/absolute").symlink_to("/root")
    (image / "etc/climbing").symlink_to("../" * 30 + "root")
    (image / "etc/dangling").symlink_to("/not/there")
    (image / "etc/chain").symlink_to("climbing")
    (image / "etc/magic").symlink_to("/proc/self/root")
    config = bundle_of(berth, image, [bind(source, path)], "sh", "-c", f"cat {path}/file /{place}/file")
    changed = berth.read_config(config)
    changed["mounts"] = [mount for mount in changed["mounts"] if mount["type"] == "bind"]
    changed["linux"]["maskedPaths"] = changed["linux"]["readonlyPaths"] = []
    berth.write_config(config, changed)
    assert berth.ok("run", "-b", config, berth.new_id()) == "of the host\n" * 2
    assert (image / place).is_dir()


@pytest.mark.parametrize("user", [False, pytest.param(True, marks=any_ids)], ids=["host ids", "user namespace"])
def test_source_in_an_earlier_mount(berth, image, source, user):
    (source / "sub").mkdir()
    (source / "sub/inner").write_text("inner\n")
    for parent in (image, *image.parents[:3]):
        parent.chmod(parent.stat().st_mode | 0o055)
    mounts = [bind(source, "/root"), bind(image / "root/sub", "/tmp"), bind(image / "root/file", "/etc/passwd")]
    bundle = bundle_of(berth, image, mounts, "cat", "/tmp/inner", "/etc/passwd")
    config = berth.read_config(bundle)
    if user:
        config["linux"]["namespaces"].append({"type": "user"})
        config["linux"] |= {name: [{"containerID": 0, "hostID": 100000, "size": 1000}]
                            for name in ("uidMappings", "gidMappings")}
        os.chown(image / "tmp", 100000, 100000)
    berth.write_config(bundle, config)
    assert berth.ok("run", "-b", bundle, berth.new_id()) == "inner\nof the host\n"


COVERABLE = ("cpuinfo", "diskstats", "loadavg", "meminfo", "slabinfo", "stat", "swaps", "uptime",
             "sys/kernel/ns_last_pid")


def test_proc_files_that_may_be_covered(berth, image, source):
    names = [f"/proc/{name}" for name in COVERABLE if os.path.exists(f"/proc/{name}")]
    text = run(berth, image, [bind(source / "file", name) for name in names], f"cat {' '.join(names)}")
    assert text == "of the host\n" * len(names) and len(names) > 5


@pytest.mark.parametrize("path", ["/proc/self", "/proc/self/attr/exec", "/proc/sys", "/proc/sys/kernel", "/proc/1",
                                  "/proc/../proc/self", "/proc/sysrq-trigger", "/proc/cpuinfo/x", "/proc"])
def test_the_rest_of_proc_may_not(berth, image, source, path):
    told = refused(berth, image, bind(source, path))
    assert "destination" in told


@pytest.mark.parametrize("path", ["/", "/..", "/etc/.."])
@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
def test_nothing_covers_the_root(berth, image, source, path, kind):
    """As runc, and unlike crun."""
    told = refused(berth, image, {"destination": path, "type": kind, "source": str(source)})
    assert "nothing may be mounted over the root" in told


@pytest.mark.parametrize("kind", ["proc", "sysfs"])
def test_proc_and_sys_are_no_links(berth, image, kind):
    place = "proc" if kind == "proc" else "sys"
    (image / place).rmdir()
    (image / place).symlink_to("etc")
    bundle = bundle_of(berth, image, [], "true")
    assert "must be mounted on ordinary directory" in berth.fails("run", "-b", bundle, berth.new_id())


TO_PROC = [("/proc", "/etc/x"), ("/proc/self/attr", "/etc/x"), ("../proc", "/etc/x/sys"), ("/proc", "/procedure")]


@pytest.mark.parametrize("kind, place", [*itertools.product(["bind", "tmpfs", "cgroup"], TO_PROC),
                                         ("bind", ("/proc/cpuinfo", "/etc/x"))])
def test_proc_is_not_reached_by_a_link(berth, image, source, kind, place):
    link, path = place
    (image / ("procedure" if path == "/procedure" else "etc/x")).symlink_to(link)
    is_file = link.endswith("cpuinfo")
    mount = {"destination": path, "type": kind, "source": str(source / "file" if is_file else source)}
    assert "/proc" in refused(berth, image, mount)
