# SPDX-License-Identifier: Apache-2.0
"""exec --tools: a directory of the host's in a container that has none of its own, for one process only."""
import os
import pathlib
import shutil
import subprocess

import pytest

import shapes
from machine import needs_root, own_users

pytestmark = needs_root
STATIC = shutil.which("busybox")


@pytest.fixture
def tools(tmp_path):
    """busybox, which on Debian is static, with a few names."""
    listed = subprocess.run(["ldd", STATIC], capture_output=True, text=True, check=False)
    if "=>" in listed.stdout:
        pytest.skip("this machine's busybox is not static")
    folder = tmp_path / "tools"
    (folder / "bin").mkdir(parents=True)
    shutil.copy(STATIC, folder / "bin/busybox")
    for name in ("sh", "ls", "cat", "id", "touch", "readlink", "env", "mount", "test"):
        (folder / "bin" / name).symlink_to("busybox")
    shapes.let_pass(folder / "bin")
    return folder


class Bare:
    """A running container whose image is one program, the places of its mounts, and `folders`."""

    def __init__(self, berth, folders=(), change=lambda config: None):
        self.berth = berth
        image = berth.folder / "bare"
        image.mkdir()
        for folder in ("proc", "dev", "sys", *folders):
            (image / folder).mkdir(parents=True)
        shutil.copy(STATIC, image / "sleep")
        shapes.let_pass(image)
        bundle = berth.bundle("/sleep", "1000", name="bare-bundle")
        config = berth.read_config(bundle)
        config["root"] = {"path": str(image)}
        config["process"]["env"] = ["PATH=/bin:/usr/bin"]
        change(config)
        berth.write_config(bundle, config)
        self.id = berth.new_id()
        berth.ok("run", "-d", "-b", bundle, self.id)
        self.pid = berth.state(self.id)["pid"]

    def ok(self, *words, tools):
        return self.berth.ok("exec", "--tools", tools, self.id, *words)

    def mounts(self):
        return pathlib.Path(f"/proc/{self.pid}/mountinfo").read_text()


def without_mounts(config):
    config["linux"]["namespaces"] = [each for each in config["linux"]["namespaces"] if each["type"] != "mount"]
    config["linux"] |= {"maskedPaths": [], "readonlyPaths": []}
    config["mounts"] = []


def test_in_the_mount_namespace_of_the_host(berth, tools):
    """The image stays the root, and nobody else sees the tools."""
    bare = Bare(berth, folders=["mnt"], change=without_mounts)
    before = pathlib.Path("/proc/self/mountinfo").read_text()
    assert "sleep" in bare.ok("ls", "/", tools=tools).split()
    assert pathlib.Path("/proc/self/mountinfo").read_text() == before


def test_shell_in_a_container_without_one(berth, tools):
    bare = Bare(berth)
    assert "executable file not found" in berth.fails("exec", bare.id, "sh", code=255)
    before = bare.mounts()
    script = "echo hello; ls -d /sleep; readlink /proc/self/ns/mnt; echo $PATH; cat /proc/1/mountinfo"
    hello, program, namespace, path, *seen = bare.ok("sh", "-c", script, tools=tools).splitlines()
    assert (hello, program) == ("hello", "/sleep")
    assert namespace != os.readlink(f"/proc/{bare.pid}/ns/mnt")
    place = path.split(":")[0].removesuffix("/bin")
    assert path == f"{place}/bin:/bin:/usr/bin" and place in ("/sys/firmware", "/proc/fs")
    assert "\n".join(seen) + "\n" == before == bare.mounts()  # the container's own see nothing of it


def test_first_in_path(berth, tools):
    """Who debugs wants the tools he brings, not what the image has under that name."""
    container = berth.running()
    said = berth.ok("exec", "--tools", tools, container, "sh", "-c", "readlink /proc/$$/exe")
    assert said.startswith("/") and said.endswith("/bin/busybox\n") and said != "/bin/busybox\n"


def test_empty_directory_is_taken_first(berth, tools):
    bare = Bare(berth, folders=("mnt/full", "media", "opt"))
    assert bare.ok("sh", "-c", "echo $PATH; ls /mnt", tools=tools).splitlines() == ["/media/bin:/bin:/usr/bin", "full"]


def test_link_is_no_place(berth, tools):
    """Of an image that leads /mnt elsewhere nothing is covered."""
    bare = Bare(berth, folders=("media",))
    (berth.folder / "bare/mnt").symlink_to("media")
    assert bare.ok("sh", "-c", "echo $PATH", tools=tools).startswith("/media/bin:")


def test_place_that_is_named(berth, tools):
    bare = Bare(berth, folders=("a/b/full",))
    assert bare.ok("/a/b/bin/ls", "/a/b", tools=f"{tools}:/a/b") == "bin\n"
    told = berth.fails("exec", "--tools", f"{tools}:/none", bare.id, "sh", code=255)
    assert "/none, which must be a directory" in told


def test_cannot_be_written_or_give_rights(berth, tools):
    (tools / "bin/su").symlink_to("busybox")
    bare = Bare(berth, folders=("mnt",))
    script = "touch /mnt/bin/x 2>/dev/null && echo TOUCHED; mount -o remount,rw,bind /mnt 2>/dev/null; cat /proc/self/mountinfo"
    told = bare.ok("sh", "-c", script, tools=tools)
    assert "TOUCHED" not in told
    [line] = [words for words in map(str.split, told.splitlines()) if words[4] == "/mnt"]
    assert {"ro", "nosuid", "nodev"} <= set(line[5].split(","))
    assert not (tools / "bin/x").exists()


def test_what_is_mounted_in_them_comes_along(berth, tools):
    (tools / "more").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "berth-tools", tools / "more"], check=True)
    try:
        (tools / "more/file").write_text("text")
        bare = Bare(berth, folders=("mnt",))
        told = bare.ok("sh", "-c", "cat /mnt/more/file; touch /mnt/more/x || echo read-only", tools=tools)
        assert told == "textread-only\n"
    finally:
        subprocess.run(["umount", tools / "more"], check=True)


def test_nothing_is_left(berth, tools):
    bare = Bare(berth)
    before = pathlib.Path("/proc/self/mountinfo").read_text(), bare.mounts()
    bare.ok("id", tools=tools)
    assert (pathlib.Path("/proc/self/mountinfo").read_text(), bare.mounts()) == before
    assert "executable file not found" in berth.fails("exec", bare.id, "sh", code=255)


def test_mounts_of_the_container_that_are_shared(berth, tools):
    """A tree that propagates to others would carry the tools to them."""
    def share(config):
        config["linux"]["rootfsPropagation"] = "shared"

    bare = Bare(berth, folders=("mnt",), change=share)
    before = bare.mounts()
    assert bare.ok("ls", "/mnt", tools=tools) == "bin\n"
    assert bare.mounts() == before


def test_for_another_user(berth, tools):
    bare = Bare(berth, folders=("mnt",))
    assert berth.ok("exec", "--tools", tools, "--user", "1000:1000", bare.id, "id", "-u") == "1000\n"


@own_users
def test_in_a_user_namespace(berth, tools):
    bare = Bare(berth, change=shapes.add_user_namespace)
    assert berth.ok("exec", "--tools", tools, bare.id, "sh", "-c", "id -u; cat /proc/self/uid_map").split()[:3] == [
        "0", "0", str(shapes.FIRST_ID)]


def test_directory_without_folders_of_programs(berth, tools):
    bare = Bare(berth, folders=("mnt",))
    assert bare.ok("sh", "-c", "echo $PATH", tools=tools / "bin") == "/mnt:/bin:/usr/bin\n"


def test_process_that_has_no_path(berth, tools, tmp_path):
    bare = Bare(berth, folders=("mnt",))
    (tmp_path / "process.json").write_text('{"args": ["env"], "cwd": "/", "user": {"uid": 0, "gid": 0}}')
    assert "PATH=/mnt/bin:\n" in berth.ok("exec", "--tools", tools, "--process", tmp_path / "process.json", bare.id)


@pytest.mark.parametrize("options, text", [
    (("{}/none",), "no such file or directory"), (("{}/bin/busybox",), "are no directory"),
    ((":/mnt",), "is not DIR or DIR:PLACE"), (("{}:/",), "is not DIR or DIR:PLACE")])
def test_refused(berth, tools, options, text):
    container = berth.running()
    assert text in berth.fails("exec", "--tools", options[0].format(tools), container, "sh", code=255)


@own_users
def test_for_who_may_mount(berth, tools):
    """Of the host's root only: the tree is one of the host's."""
    bare = Bare(berth)
    words = ["unshare", "-Ur", *berth.command("exec", "--tools", tools, bare.id, "sh")]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 255 and "tools are for who may mount" in done.stderr
